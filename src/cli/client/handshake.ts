// How a connection is made: with a token where one is needed, to a server that is who it should be.

export type Handshake = {
  readonly url: string | URL;
  readonly token?: string | undefined;
  readonly ca?: string | false | undefined;
};

/** How a handshake is made for these options. */
export function handshakeOf({ url, token, ca }: Handshake): Bun.WebSocketOptions {
  return {
    ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
    ...(/^(wss|https):/i.test(String(url)) && {
      tls: ca === false ? { rejectUnauthorized: false } : ca === undefined ? {} : { ca },
    }),
  };
}
