// A port for what goes and comes back: nobody else has it in between. (Who only needs any port takes port 0.)

/** Below what any system gives to those who ask for port 0, so that none of them gets it while it is free. */
const FIRST = 20_000;
const LAST = 32_767;

export type Port = Disposable & { readonly number: number };

/** The number is this test's until it leaves the block, whatever listens there: what is held is the UDP port, TCP is left to others. */
export async function claimPort(): Promise<Port> {
  for (;;) {
    const number = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    const claim = await Bun.udpSocket({ hostname: "127.0.0.1", port: number }).catch(() => undefined);
    if (claim) return { number, [Symbol.dispose]: () => claim.close() };
  }
}
