// A hook that follows a table. Each change of the table is another object, so that setting the state renders the component again, and
// `useMemo` and `memo` do what they should.
import { type State, subscribe, type Table } from "csvcast/client";
import { useEffect, useState } from "react";

export type LiveTable = {
  /** Undefined until the first one is complete. */
  readonly table: Table | undefined;
  readonly state: State | "connecting" | "reconnecting" | "ended";
  /** Why the state is not `live`. */
  readonly message: string;
};

export function useTable(url: string, token?: string): LiveTable {
  const [table, setTable] = useState<Table>();
  const [situation, setSituation] = useState<Omit<LiveTable, "table">>({ state: "connecting", message: "" });

  useEffect(() => {
    setTable(undefined);
    const subscription = subscribe(url, {
      token,
      onSnapshot: setTable,
      onChange: setTable,
      onStatus: ({ state, message }) => setSituation({ state, message }),
      onConnection(connection) {
        if (connection.state === "waiting") setSituation({ state: "reconnecting", message: connection.why });
      },
      onEnd: (why) => setSituation({ state: "ended", message: why }),
    });
    return () => subscription.close();
  }, [url, token]);

  return { table, ...situation };
}
