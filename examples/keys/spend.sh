#!/usr/bin/env bash
# What was spent: rows, days, models, tags. Needs a running proxy: PROXY_URL and MASTER_KEY.
set -euo pipefail

url=${PROXY_URL:-http://127.0.0.1:4000}
admin=(-sS --fail-with-body -H "Authorization: Bearer $MASTER_KEY" -H 'Content-Type: application/json')
today=$(date -u +%F)
tomorrow=$(date -u -d '+1 day' +%F 2>/dev/null || date -u -v+1d +%F)

curl "${admin[@]}" "$url/v1/messages" -H 'x-litellm-tags: nightly,docs' \
  -d '{"model":"claude-sonnet-4-5","max_tokens":64,"messages":[{"role":"user","content":"Say hello."}]}' >/dev/null

for path in \
  "/spend/logs?start_date=$today&end_date=$tomorrow&summarize=false" \
  "/spend/logs?start_date=$today&end_date=$tomorrow" \
  "/spend/tags?start_date=$today&end_date=$tomorrow" \
  "/global/spend" \
  "/global/spend/report?start_date=$today&end_date=$tomorrow&group_by=api_key" \
  "/user/daily/activity?start_date=$today&end_date=$tomorrow"; do
  echo "$path"
  curl "${admin[@]}" "$url$path"
  echo
done
