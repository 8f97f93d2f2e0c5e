import "../parts/toolkit.ts";
import "./style.css";
import { mountPage } from "../parts/page.tsx";
import { PREVIEW_STATE, PreviewPage } from "./app.tsx";

mountPage({ page: "preview", initial: PREVIEW_STATE, view: PreviewPage });
