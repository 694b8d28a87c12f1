// What a server reports of its relay. The words for people are found where events are shown.

/** `relay`: the topic and where it is, without credentials; `reason` is for people. */
export type RelayEvent =
  /** The topic is this server's. */
  | { readonly type: "relay-published"; readonly relay: string }
  /** Another server publishes the topic; `isStandby`: this one follows until it may publish. */
  | { readonly type: "relay-taken"; readonly relay: string; readonly isStandby: boolean }
  /** Redis cannot be reached, or does not do what it should. */
  | { readonly type: "relay-away"; readonly relay: string; readonly reason: string }
  | { readonly type: "relay-back"; readonly relay: string }
  /** A table cannot be written, though Redis would take it; `table`: another than the first. */
  | {
      readonly type: "relay-trouble";
      readonly relay: string;
      readonly reason: string;
      readonly table?: string | undefined;
    };
