#!/usr/bin/env bash
# A team with a budget, a user in it, and a key that is held to both. Needs a running proxy: PROXY_URL and MASTER_KEY.
set -euo pipefail

url=${PROXY_URL:-http://127.0.0.1:4000}
admin=(-sS --fail-with-body -H "Authorization: Bearer $MASTER_KEY" -H 'Content-Type: application/json')

field() {
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | head -n 1
}

team=$(curl "${admin[@]}" "$url/team/new" -d '{"team_alias":"writers","max_budget":50,"budget_duration":"30d","rpm_limit":100}' | field team_id)
user=$(curl "${admin[@]}" "$url/user/new" -d '{"user_email":"ada@example.com","max_budget":10,"auto_create_key":false}' | field user_id)
curl "${admin[@]}" "$url/team/member_add" -d "{\"team_id\":\"$team\",\"member\":{\"role\":\"user\",\"user_id\":\"$user\"}}" >/dev/null
key=$(curl "${admin[@]}" "$url/key/generate" -d "{\"team_id\":\"$team\",\"user_id\":\"$user\",\"key_alias\":\"ada-laptop\"}" | field key)

curl -sS --fail-with-body "$url/v1/messages" -H "x-api-key: $key" -H 'Content-Type: application/json' \
  -d '{"model":"claude-sonnet-4-5","max_tokens":64,"messages":[{"role":"user","content":"Say hello."}]}' >/dev/null

echo "team: $(curl "${admin[@]}" "$url/team/info?team_id=$team" | grep -o '"max_budget": *[0-9.]*' | grep -o '[0-9.]*$' | head -n 1) USD at most"
echo "user: $(curl "${admin[@]}" "$url/user/info?user_id=$user" | field user_email)"
curl "${admin[@]}" "$url/key/delete" -d '{"key_aliases":["ada-laptop"]}' >/dev/null
curl "${admin[@]}" "$url/user/delete" -d "{\"user_ids\":[\"$user\"]}" >/dev/null
curl "${admin[@]}" "$url/team/delete" -d "{\"team_ids\":[\"$team\"]}" >/dev/null
echo "all gone again"
