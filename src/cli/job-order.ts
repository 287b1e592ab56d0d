/** `--sort`: an order of jobs. */
import type { Job } from "../job/job.ts";
import { type FieldName, fieldOf, kindOf } from "../job/record-field.ts";
import { fieldNamed } from "./job-filter.ts";
import { mistake } from "./mistake.ts";

type Order = (a: Job, b: Job) => number;

/** `-created_at,id`: by the first field, where that is equal by the next; with a dash downwards. Throws `E_USAGE`. */
export function jobOrder(text: string): Order {
  const orders = text.split(",").map((part) => {
    const isDown = part.startsWith("-");
    const field = fieldNamed(isDown ? part.slice(1) : part);
    if (kindOf(field) === "json") throw mistake(`Jobs cannot be sorted by ${field}: it has parts.`);
    return orderBy(field, isDown ? -1 : 1);
  });
  return (a, b) => orders.map((order) => order(a, b)).find((result) => result !== 0) ?? 0;
}

/** What has no such field comes last, whichever way. */
function orderBy(field: FieldName, sign: 1 | -1): Order {
  return (a, b) => {
    const [one, other] = [fieldOf(a, field), fieldOf(b, field)] as (string | number | undefined)[];
    if (one === other) return 0;
    if (one === undefined || other === undefined) return one === undefined ? 1 : -1;
    return one < other ? -sign : sign;
  };
}
