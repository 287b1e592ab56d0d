import type { Command } from "../command.ts";
import { EXIT } from "../exit-code.ts";

export const storeMigrate: Command = {
  name: "store-migrate",
  summary: "Bring the schema of a queue in PostgreSQL up to date",
  details: {
    title: "When",
    lines: [
      "Whatever command comes first does it by itself. This one does it when you",
      "choose, perhaps as a user who may create tables where the others may not.",
      "A queue in files has nothing to migrate.",
    ],
  },
  arguments: [],
  options: [{ name: "dry-run", summary: "Only print the SQL that would be run" }],
  examples: ["QUEUECTL_STORE=postgres://admin@db/queue queuectl store-migrate", "queuectl store-migrate --dry-run"],
  async run({ migrator: open, output }, { options }) {
    const migrator = await open();
    const dryRun = options.has("dry-run");
    const migrations = dryRun ? await migrator.pending() : await migrator.migrate();
    await output.result({ view: "migration", location: migrator.location, migrations, dryRun });
    return EXIT.ok;
  },
};
