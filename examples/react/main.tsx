// Shows the last rows of a table, as they come. `?server=ws://…` is another server, `?token=…` its token.
import { StrictMode, useMemo } from "react";
import { createRoot } from "react-dom/client";
import { useTable } from "./useTable";

const SHOWN_ROWS = 20;

function LastRows({ url, token }: { url: string; token: string | undefined }) {
  const { table, state, message } = useTable(url, token);
  const rows = useMemo(() => table?.slice(-SHOWN_ROWS) ?? [], [table]);
  const first = (table?.length ?? 0) - rows.length;
  return (
    <>
      <p id="state">{message === "" ? state : `${state}: ${message}`}</p>
      <p id="count">{table?.length ?? 0} rows</p>
      <table>
        <thead>
          <tr>
            {table?.columns.map((name, i) => (
              <th key={i}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={first + i}>
              {row.map((cell, j) => (
                <td key={j}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const query = new URLSearchParams(location.search);
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <LastRows url={query.get("server") ?? "ws://127.0.0.1:59050/"} token={query.get("token") ?? undefined} />
  </StrictMode>,
);
