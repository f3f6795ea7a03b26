/** The tables of the ledger, and how a group of writes and a recovery change them: each a function, so that it is one round trip. */

// Times are JavaScript's numbers of ms; money and tokens are whole. Rows are updated once, so pages leave room for that.
// Text of clients may be longer than an index entry: only its beginning is indexed.
export const ledgerTables = `
create table $schema$.exchanges (
  id text collate "C" primary key,
  instance text not null,
  started_at float8 not null,
  operation text not null,
  caller_kind text not null,
  key_id text collate "C",
  key_alias text,
  user_id text collate "C",
  team_id text collate "C",
  end_user text,
  address text,
  session text collate "C",
  agent text,
  request_class text,
  client text,
  label text not null,
  model_asked text not null,
  tags text[] not null,
  metadata text,
  ended_at float8,
  outcome text,
  status int,
  model_served text,
  provider text,
  deployment_id text,
  is_cache_hit boolean,
  first_byte_ms float8,
  ms float8,
  input bigint,
  output bigint,
  cache_read bigint,
  cache_write_5m bigint,
  cache_write_1h bigint,
  reasoning bigint,
  server_tools bigint,
  cost bigint,
  cost_as_asked bigint
) with (fillfactor = 80);
create index on $schema$.exchanges (started_at, id);
create index on $schema$.exchanges (left(key_id, 64), started_at) where key_id is not null;
create index on $schema$.exchanges (left(user_id, 64), started_at) where user_id is not null;
create index on $schema$.exchanges (left(team_id, 64), started_at) where team_id is not null;
create index on $schema$.exchanges (left(session, 64), started_at) where session is not null;
create index on $schema$.exchanges (started_at) where ended_at is null;

create table $schema$.attempts (
  exchange_id text collate "C" not null,
  number int not null,
  instance text not null,
  started_at float8 not null,
  deployment_id text not null,
  model_group text not null,
  provider text not null,
  model text not null,
  api_base text not null,
  reason text not null,
  estimate bigint,
  state text not null default 'reserved',
  ended_at float8,
  status int,
  input bigint,
  output bigint,
  cache_read bigint,
  cache_write_5m bigint,
  cache_write_1h bigint,
  reasoning bigint,
  server_tools bigint,
  cost bigint,
  is_estimate boolean,
  first_content_ms float8,
  failure text,
  primary key (exchange_id, number)
) with (fillfactor = 80);
create index on $schema$.attempts (started_at) where state = 'reserved';

-- In the order of the ids, so that two groups that write of the same rows wait for each other instead of for ever.
create function $schema$.write_ledger(p_exchanges json, p_attempts json, p_settlements json, p_ends json) returns void language plpgsql as $$
begin
  insert into $schema$.exchanges (id, instance, started_at, operation, caller_kind, key_id, key_alias, user_id, team_id, end_user, address,
    session, agent, request_class, client, label, model_asked, tags, metadata)
  select r.id, r.instance, r.started_at, r.operation, r.caller_kind, r.key_id, r.key_alias, r.user_id, r.team_id, r.end_user, r.address,
    r.session, r.agent, r.request_class, r.client, r.label, r.model_asked, r.tags, r.metadata
  from json_populate_recordset(null::$schema$.exchanges, p_exchanges) r
  order by r.id
  on conflict do nothing;

  insert into $schema$.attempts (exchange_id, number, instance, started_at, deployment_id, model_group, provider, model, api_base, reason, estimate)
  select r.exchange_id, r.number, r.instance, r.started_at, r.deployment_id, r.model_group, r.provider, r.model, r.api_base, r.reason, r.estimate
  from json_populate_recordset(null::$schema$.attempts, p_attempts) r
  order by r.exchange_id, r.number
  on conflict do nothing;

  update $schema$.attempts a
  set state = r.state, ended_at = r.ended_at, status = r.status, input = r.input, output = r.output, cache_read = r.cache_read,
    cache_write_5m = r.cache_write_5m, cache_write_1h = r.cache_write_1h, reasoning = r.reasoning, server_tools = r.server_tools,
    cost = r.cost, is_estimate = r.is_estimate, first_content_ms = r.first_content_ms, failure = r.failure
  from (select * from json_populate_recordset(null::$schema$.attempts, p_settlements) order by exchange_id, number) r
  where a.exchange_id = r.exchange_id and a.number = r.number and a.state = 'reserved';

  update $schema$.exchanges e
  set ended_at = r.ended_at, outcome = r.outcome, status = r.status, model_served = r.model_served, provider = r.provider,
    deployment_id = r.deployment_id, is_cache_hit = r.is_cache_hit, first_byte_ms = r.first_byte_ms, ms = r.ms, input = r.input,
    output = r.output, cache_read = r.cache_read, cache_write_5m = r.cache_write_5m, cache_write_1h = r.cache_write_1h,
    reasoning = r.reasoning, server_tools = r.server_tools, cost = r.cost, cost_as_asked = r.cost_as_asked
  from (select * from json_populate_recordset(null::$schema$.exchanges, p_ends) order by id) r
  where e.id = r.id and e.ended_at is null;
end $$;

create function $schema$.recover_ledger(p_alive text[], p_now float8) returns setof $schema$.attempts language plpgsql as $$
begin
  return query
    update $schema$.attempts a
    set state = 'unknown', ended_at = p_now, cost = a.estimate, is_estimate = true
    where a.state = 'reserved' and a.instance <> all (p_alive)
    returning a.*;

  -- What is not known of one attempt is not known of the sum.
  update $schema$.exchanges e
  set ended_at = p_now, outcome = 'unknown', status = 0, is_cache_hit = false, ms = greatest(0, p_now - e.started_at),
    cost = (
      select case when count(*) = count(a.cost) then coalesce(sum(a.cost), 0)::bigint end
      from $schema$.attempts a where a.exchange_id = e.id
    )
  where e.ended_at is null and e.instance <> all (p_alive);
end $$;
`;
