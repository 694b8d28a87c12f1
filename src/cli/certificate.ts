// The certificate and its key from their files, and from them again when they have been renewed.
import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { CliError } from "./errors.ts";
import type { Log } from "./log.ts";

/** Both as PEM. */
export type Pem = { readonly cert: string; readonly key: string };

export type CertificateFiles = { readonly certPath: string; readonly keyPath: string };

const LOOK_MS = 1_000;

/** The files of --tls-cert and --tls-key, if they were given. Throws CliError("usage") if only one was. */
export function certificateFiles(cert: string | undefined, key: string | undefined): CertificateFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new CliError(
      "usage",
      `--tls-cert and --tls-key go together: ${cert ? "the key" : "the certificate"} is missing`,
    );
  return { certPath: cert, keyPath: key };
}

/** Reads and checks them. Throws CliError("usage"). */
export function readCertificate({ certPath, keyPath }: CertificateFiles): Pem {
  const pem = { cert: read("--tls-cert", certPath), key: read("--tls-key", keyPath) };
  try {
    createSecureContext(pem);
    return pem;
  } catch (error) {
    const { code } = error as { code?: string };
    const why =
      code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH"
        ? `not the key of ${certPath}`
        : "they are no certificate and key in PEM form, without a passphrase";
    throw new CliError("usage", `--tls-cert ${certPath}, --tls-key ${keyPath}: ${why}`);
  }
}

/** Gives renewed files to `renew`, and says so. Returns how to end it. */
export function followCertificate(files: CertificateFiles, renew: (pem: Pem) => void, log: Log): () => void {
  const onRenewed = (pem: Pem) => {
    renew(pem);
    log.info("certificate-renewed", "new connections get the new certificate");
  };
  return watchCertificate(files, onRenewed, (message) =>
    log.warn("certificate-unusable", `${message}; the last good one stays in use`),
  );
}

/** Calls `onRenewed` when the files have become another certificate, `onTrouble` once when they are none. Returns how to end it. */
export function watchCertificate(
  files: CertificateFiles,
  onRenewed: (pem: Pem) => void,
  onTrouble: (message: string) => void,
): () => void {
  let seen = identityOf(files);
  const timer = setInterval(() => {
    const identity = identityOf(files);
    if (identity === seen) return;
    seen = identity;
    try {
      onRenewed(readCertificate(files));
    } catch (error) {
      onTrouble(error instanceof Error ? error.message : String(error));
    }
  }, LOOK_MS);
  return () => clearInterval(timer);
}

function read(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError("usage", `${option} ${path}: ${(error as NodeJS.ErrnoException).code ?? "cannot be read"}`);
  }
}

function identityOf({ certPath, keyPath }: CertificateFiles): string {
  const identity = (path: string) => {
    try {
      const stat = statSync(path, { bigint: true });
      return `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
    } catch (error) {
      return `${(error as NodeJS.ErrnoException).code}`;
    }
  };
  return `${identity(certPath)} ${identity(keyPath)}`;
}
