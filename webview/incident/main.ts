import "../parts/toolkit.ts";
import "./style.css";
import { mountPage } from "../parts/page.tsx";
import { INCIDENT_STATE, IncidentPage } from "./app.tsx";

mountPage({ page: "incident", initial: INCIDENT_STATE, view: IncidentPage });
