/** The table of keys, users, teams and budgets, and the number that tells whether any of them has changed. */

// `revision` is of one record, for updates that must not lose each other; `changes` is of all, and is committed with the change it counts, so that
// nobody sees the one without the other. Triggers count, whoever changes a record by whatever way.
export const keyTables = `
create table $schema$.records (
  kind text not null,
  id text collate "C" not null,
  alias text collate "C",
  user_id text,
  team_id text,
  created_at float8 not null,
  revision bigint not null default 1,
  body text not null,
  constraint records_id primary key (kind, id)
);
create unique index records_alias on $schema$.records (alias) where kind = 'key';
create index on $schema$.records (kind, created_at, id);
create index on $schema$.records (left(user_id, 64)) where kind = 'key';
create index on $schema$.records (left(team_id, 64)) where kind = 'key';

create table $schema$.record_changes (is_only boolean primary key default true check (is_only), changes bigint not null);
insert into $schema$.record_changes (changes) values (0);

create function $schema$.count_record_changes() returns trigger language plpgsql as $$
begin
  if exists (select from changed) then
    update $schema$.record_changes set changes = changes + 1;
  end if;
  return null;
end $$;
create trigger counts_inserts after insert on $schema$.records referencing new table as changed
  for each statement execute function $schema$.count_record_changes();
create trigger counts_updates after update on $schema$.records referencing new table as changed
  for each statement execute function $schema$.count_record_changes();
create trigger counts_deletes after delete on $schema$.records referencing old table as changed
  for each statement execute function $schema$.count_record_changes();
`;
