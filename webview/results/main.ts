import "../parts/toolkit.ts";
import "./style.css";
import { mountPage } from "../parts/page.tsx";
import { RESULTS_STATE, ResultsPage } from "./app.tsx";

mountPage({ page: "results", initial: RESULTS_STATE, view: ResultsPage });
