// Whether this machine can be reached from elsewhere: some tests look at the addresses that it shows for that.
import { networkInterfaces } from "node:os";

export const hasNetwork = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.family === "IPv4" && !address.internal);

/** For the names of tests: why they are skipped. */
export const withoutNetwork = hasNetwork ? "" : " (skipped: this machine has no network)";
