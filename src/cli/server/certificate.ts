// The certificate and its key from their files, and from them again when they have been renewed.
import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { ServerEvent } from "../../channel/events.ts";
import type { Certificate } from "../../channel/options.ts";
import { CliError, fileProblem } from "../errors.ts";

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
export function readCertificate({ certPath, keyPath }: CertificateFiles): Certificate {
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

/** Gives the certificate to `renew` when the files have become another one; says so, and once when they are none. Returns how to end it. */
export function watchCertificate(
  files: CertificateFiles,
  renew: (pem: Certificate) => void,
  onEvent: (event: ServerEvent) => void,
): () => void {
  let seen = identityOf(files);
  const timer = setInterval(() => {
    const identity = identityOf(files);
    if (identity === seen) return;
    seen = identity;
    try {
      renew(readCertificate(files));
      onEvent({ type: "certificate-renewed" });
    } catch (error) {
      onEvent({ type: "certificate-unusable", reason: error instanceof Error ? error.message : String(error) });
    }
  }, LOOK_MS);
  return () => clearInterval(timer);
}

function read(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError("usage", `${option} ${path}: ${fileProblem(error)}`);
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
