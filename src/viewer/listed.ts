// The tables of the server as it lists them, and which of them the page is of. Pure.

/** As /tables.json has it. */
export type Listed = {
  readonly name?: string;
  readonly file: string;
  readonly path: string;
  readonly state: string;
  readonly rows: number;
  readonly changedMs?: number;
};

/** The address of the table on this page, in front of `.json` and so on. */
export const tablePath = (pathname: string) => (pathname === "/" ? "/csv" : pathname);

/** Whether a table is the one at this path; the first has two of them. */
export const isAt = ({ path, name }: Listed, here: string) =>
  path === here || (name !== undefined && `/${encodeURIComponent(name)}` === here);
