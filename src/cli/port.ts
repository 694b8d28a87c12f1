// Where a server is if nobody says otherwise.

export const DEFAULT_PORT = 59_050;
