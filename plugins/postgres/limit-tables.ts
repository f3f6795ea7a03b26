/**
 * The counters of limits, and what is done with them: each a function, so that it is one round trip and one moment.
 *
 * Whoever counts first takes a lock for each of its counters, in the order of their numbers: nobody waits in a circle, and a counter that is not
 * there yet can be locked, too. Rows of reservations and slots are only touched behind that, or in the order of their ids.
 */

// Counted with JavaScript's numbers, exact for whole ones up to 2^53. Commits are not waited for: what a crash of the server may cost is the
// last half second of counters, and waiting for the disk would hold the locks of counters that everybody needs.
export const limitTables = `
create sequence $schema$.counter_generation;

-- A counter that began anew is another generation: what was taken from the last one is not given back to it.
create table $schema$.counters (
  key text collate "C" primary key,
  used float8 not null,
  ends_at float8,
  period text,
  generation bigint not null default nextval('$schema$.counter_generation')
) with (fillfactor = 50);
create index on $schema$.counters (ends_at) where ends_at is not null;

create table $schema$.slots (
  key text collate "C" not null,
  reservation_id text collate "C" not null,
  lease_ends_at float8 not null,
  primary key (key, reservation_id)
);

-- Lists in the order of the demands; a slot has no generation.
create table $schema$.reservations (
  id text collate "C" primary key,
  lease_ends_at float8 not null,
  keys text[] not null,
  amounts float8[] not null,
  generations bigint[] not null
);
create index on $schema$.reservations (lease_ends_at);

create function $schema$.clock_ms(p_now float8) returns float8 language sql volatile as $$
  select coalesce(p_now, floor(extract(epoch from clock_timestamp()) * 1000)::float8)
$$;

create function $schema$.lock_counters(p_keys text[]) returns void language plpgsql as $$
declare
  v_lock bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  for v_lock in select distinct hashtextextended('$schema$ ' || key, 0) as lock from unnest(p_keys) key order by lock loop
    perform pg_advisory_xact_lock(v_lock);
  end loop;
end $$;

-- What a demand finds: used, when it ends, and its generation where it is there.
create function $schema$.find_counter(p_kind text, p_key text, p_lasts float8, p_period text, p_spent float8, p_now float8,
  out o_used float8, out o_resets float8, out o_generation bigint) language plpgsql as $$
begin
  if p_kind = 'slot' then
    select count(*) into o_used from $schema$.slots s where s.key = p_key and s.lease_ends_at > p_now;
    return;
  end if;
  select c.used, c.ends_at - p_now, c.generation into o_used, o_resets, o_generation from $schema$.counters c
  where c.key = p_key and (c.ends_at is null or c.ends_at > p_now) and (p_kind <> 'budget' or c.period = p_period);
  if not found and p_kind = 'budget' then
    o_used := p_spent;
    o_resets := p_lasts;
  elsif not found then
    o_used := 0;
  end if;
end $$;

-- All lists are in the order of the demands. o_refused is the index of the first that cannot be met, and the states are then its own.
create function $schema$.reserve(p_id text, p_kinds text[], p_keys text[], p_amounts float8[], p_limits float8[], p_lasts float8[],
  p_periods text[], p_spent float8[], p_lease float8, p_now float8, out o_refused int, out o_used float8[], out o_resets float8[])
language plpgsql as $$
declare
  v_now float8;
  v_is_held boolean;
  v_found record;
  v_before float8;
  v_generation bigint;
  v_generations bigint[] := '{}';
begin
  perform $schema$.lock_counters(p_keys);
  v_now := $schema$.clock_ms(p_now);
  v_is_held := exists (select from $schema$.reservations r where r.id = p_id);

  if not v_is_held then
    delete from $schema$.slots s where s.key = any (p_keys) and s.lease_ends_at <= v_now;
    for i in 1 .. cardinality(p_keys) loop
      select * into v_found from $schema$.find_counter(p_kinds[i], p_keys[i], p_lasts[i], p_periods[i], p_spent[i], v_now);
      v_before := v_found.o_used;
      for j in 1 .. i - 1 loop
        if p_keys[j] = p_keys[i] then v_before := v_before + p_amounts[j]; end if;
      end loop;
      if v_before + p_amounts[i] > p_limits[i] or (p_kinds[i] = 'budget' and v_before >= p_limits[i]) then
        o_refused := i - 1;
        o_used := array[v_found.o_used];
        o_resets := array[v_found.o_resets];
        return;
      end if;
    end loop;

    for i in 1 .. cardinality(p_keys) loop
      if p_kinds[i] = 'slot' then
        insert into $schema$.slots values (p_keys[i], p_id, v_now + p_lease) on conflict do nothing;
        v_generations[i] := null;
        continue;
      end if;
      select * into v_found from $schema$.find_counter(p_kinds[i], p_keys[i], p_lasts[i], p_periods[i], p_spent[i], v_now);
      if v_found.o_generation is null then
        insert into $schema$.counters as c (key, used, ends_at, period)
        values (p_keys[i], v_found.o_used + p_amounts[i], v_now + p_lasts[i], p_periods[i])
        on conflict (key) do update
        set used = excluded.used, ends_at = excluded.ends_at, period = excluded.period, generation = excluded.generation
        returning c.generation into v_generation;
        v_generations[i] := v_generation;
      else
        update $schema$.counters c set used = c.used + p_amounts[i] where c.key = p_keys[i];
        v_generations[i] := v_found.o_generation;
      end if;
    end loop;
    insert into $schema$.reservations values (p_id, v_now + p_lease, p_keys, p_amounts, v_generations) on conflict do nothing;
  end if;

  o_used := '{}';
  o_resets := '{}';
  for i in 1 .. cardinality(p_keys) loop
    select * into v_found from $schema$.find_counter(p_kinds[i], p_keys[i], p_lasts[i], p_periods[i], p_spent[i], v_now);
    o_used[i] := v_found.o_used;
    o_resets[i] := v_found.o_resets;
  end loop;
  -- Somebody has to sweep, and nobody is there all the time.
  if random() < 0.002 then perform $schema$.forget_limits(v_now); end if;
end $$;

create function $schema$.renew(p_ids text[], p_lease float8, p_now float8) returns void language plpgsql as $$
declare
  v_until float8 := $schema$.clock_ms(p_now) + p_lease;
  v_id text;
  v_keys text[];
begin
  perform set_config('synchronous_commit', 'off', true);
  for v_id in select distinct id collate "C" as id from unnest(p_ids) id order by id loop
    update $schema$.reservations r set lease_ends_at = v_until where r.id = v_id returning r.keys into v_keys;
    if found then
      update $schema$.slots s set lease_ends_at = v_until where s.key = any (v_keys) and s.reservation_id = v_id;
    end if;
  end loop;
end $$;

-- p_actual in the order of the demands, null for what was reserved; itself null: as if it had never been.
create function $schema$.end_reservation(p_id text, p_actual float8[]) returns void language plpgsql as $$
declare
  v_keys text[];
  v_taken record;
begin
  select r.keys into v_keys from $schema$.reservations r where r.id = p_id;
  if not found then return; end if;
  perform $schema$.lock_counters(v_keys);
  -- Only now is it known that nobody else has ended it.
  delete from $schema$.reservations r where r.id = p_id returning r.* into v_taken;
  if not found then return; end if;
  delete from $schema$.slots s where s.key = any (v_taken.keys) and s.reservation_id = p_id;
  for i in 1 .. cardinality(v_taken.keys) loop
    update $schema$.counters c
    set used = c.used - v_taken.amounts[i] + case when p_actual is null then 0 else coalesce(p_actual[i], v_taken.amounts[i]) end
    where c.key = v_taken.keys[i] and c.generation = v_taken.generations[i];
  end loop;
end $$;

create function $schema$.add_spent(p_key text, p_period text, p_amount float8, p_now float8) returns void language plpgsql as $$
begin
  perform $schema$.lock_counters(array[p_key]);
  update $schema$.counters c set used = c.used + p_amount
  where c.key = p_key and c.period = p_period and (c.ends_at is null or c.ends_at > $schema$.clock_ms(p_now));
end $$;

create function $schema$.reset_counters(p_keys text[]) returns void language plpgsql as $$
begin
  perform $schema$.lock_counters(p_keys);
  delete from $schema$.counters c where c.key = any (p_keys);
end $$;

-- What is over, some of it at a time; waits for nobody. Reservations of processes that have vanished are kept for a day, for whoever settles them yet.
create function $schema$.forget_limits(p_now float8) returns void language plpgsql as $$
begin
  delete from $schema$.counters where key in (
    select c.key from $schema$.counters c where c.ends_at <= p_now order by c.ends_at limit 500 for update skip locked);
  delete from $schema$.reservations where id in (
    select r.id from $schema$.reservations r where r.lease_ends_at <= p_now - 86400000 order by r.lease_ends_at limit 500 for update skip locked);
  delete from $schema$.slots where (key, reservation_id) in (
    select s.key, s.reservation_id from $schema$.slots s where s.lease_ends_at <= p_now - 86400000 limit 500 for update skip locked);
end $$;
`;
