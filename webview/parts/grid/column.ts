/** A column of the grid. */
export interface GridColumn {
  readonly name: string;
  /** Shown under the name, small. */
  readonly type?: string;
  /** Numbers stand right. */
  readonly numeric: boolean;
  /** CSS px. */
  readonly width: number;
  readonly sortable?: boolean;
}
