/** Failures in the service's own shapes: a type, a message, and a status that tells the SDKs whether to try again. */
import { Fault } from "../../core/fault.ts";
import { accountOf, type StreamEntry } from "./catalogue.ts";

/** A failed request as the client sees it. 400: the request is wrong. 500 and 503: SDKs try again by themselves. */
export class ServiceFailure extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.name = type;
    this.type = type;
    this.status = status;
  }

  /** The body of the response. A serialization failure writes its message with a capital, as the service does. */
  toBody(): Record<string, string> {
    const member = this.type === "SerializationException" ? "Message" : "message";
    return { __type: this.type, ...(this.message !== "" && { [member]: this.message }) };
  }
}

export const invalidArgument = (message: string) => new ServiceFailure("InvalidArgumentException", message);
export const serialization = (message: string) => new ServiceFailure("SerializationException", message);
export const unknownOperation = () => new ServiceFailure("UnknownOperationException", "");
export const notFound = (message: string) => new ServiceFailure("ResourceNotFoundException", message);

export function streamNotFound(name: string, account: string): ServiceFailure {
  return notFound(`Stream ${name} under account ${account} not found.`);
}

export function shardNotFound(shardId: string, stream: StreamEntry): ServiceFailure {
  return notFound(`Shard ${shardId} in stream ${stream.name} under account ${accountOf(stream.arn)} does not exist`);
}

/** Whatever went wrong, in the service's shape and the engine's words. */
export function toServiceFailure(error: unknown): ServiceFailure {
  if (error instanceof ServiceFailure) return error;
  const { code, message, next } = Fault.from(error);
  const words = next === undefined ? message : `${message} ${next}`;
  if (code === "stream.busy") return new ServiceFailure("ProvisionedThroughputExceededException", words);
  if (code === "cancelled") return new ServiceFailure("ServiceUnavailable", words, 503);
  return new ServiceFailure("InternalFailureException", words, 500);
}
