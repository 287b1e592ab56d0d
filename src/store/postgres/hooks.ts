/** What `fire_hooks` has to be told of a process: the settings that its own stand for, and what no setting says. */
import { type Config, DEFAULTS } from "../../config.ts";
import { WEBHOOK_COMMAND } from "../../job/hook.ts";

export function ownSettings(overrides: Partial<Config>): object {
  return { over: hookSettings(overrides), under: hookSettings(DEFAULTS), webhook: WEBHOOK_COMMAND };
}

function hookSettings({ on_complete, on_dead, webhook_url, max_retries }: Partial<Config>): object {
  return { on_complete, on_dead, webhook_url, max_retries };
}
