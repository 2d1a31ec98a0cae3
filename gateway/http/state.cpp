// gateway/http/state.cpp: from counters and snapshots to JSON.
//
// Bounds: `rows_max` of each list; clients that wait or are pinned come with the longest first.
#include "gateway/http/state.hpp"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "gateway/context.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "gateway/worker.hpp"
#include "generated/version.hpp"

namespace sluice::gateway {
namespace {

using namespace statistics;
using nlohmann::json;

constexpr std::size_t rows_max = 100;
constexpr std::size_t statements_max = 2000;
constexpr std::chrono::milliseconds patience{500};

double milliseconds(std::chrono::nanoseconds time)
{
    return static_cast<double>(time.count()) / 1e6;
}
double milliseconds(std::uint64_t ns)
{
    return static_cast<double>(ns) / 1e6;
}

json totals_of(const traffic_totals& n)
{
    return {{"clients", n.clients},
            {"active", n.active},
            {"waiting", n.waiting},
            {"logins", n.logins},
            {"requests", n.requests},
            {"statements", n.statements},
            {"transactions", n.transactions},
            {"rows", n.rows},
            {"errors", n.errors},
            {"received_bytes", n.received},
            {"sent_bytes", n.sent},
            {"multiplexed", n.multiplexed},
            {"backend_ms", milliseconds(n.backend_time)},
            {"transaction_ms", milliseconds(n.transaction_time)},
            {"wait_ms", milliseconds(n.wait_time)},
            {"p50_ms", milliseconds(n.latency.quantile(0.5))},
            {"p95_ms", milliseconds(n.latency.quantile(0.95))},
            {"p99_ms", milliseconds(n.latency.quantile(0.99))},
            {"wait_p99_ms", milliseconds(n.wait.quantile(0.99))}};
}

// Bounds in milliseconds and counts, for whoever wants the percentiles of a while.
json histogram_of(const times& all)
{
    json bounds = json::array();
    for (std::size_t i = 1; i < all.counts.size(); ++i)
        bounds.push_back(static_cast<double>(buckets<14, 37, 2>::lower(i)) / 1e6);
    return {{"bounds_ms", bounds}, {"counts", all.counts}};
}

json limits_of(const tenant_info& of)
{
    json refused = json::object();
    for (std::size_t i = 0; i < of.refused.size(); ++i) {
        if (of.refused[i] > 0)
            refused[std::string(name_of(static_cast<pool::limit>(i)))] = of.refused[i];
    }
    return {{"running", of.running},
            {"queued", of.queued},
            {"max_clients", of.limits.max_clients},
            {"max_concurrent", of.limits.max_concurrent},
            {"max_rate", of.limits.max_rate},
            {"refused", refused}};
}

void add_named(json& list, std::map<std::string, json>& lines)
{
    for (auto& [name, line] : lines) {
        line["name"] = name;
        list.push_back(std::move(line));
    }
}

void add_totals(json& out, context& shared)
{
    const auto& counts = shared.counts;
    traffic_totals all;
    std::map<std::string, traffic_totals> tenants;
    std::map<std::string, traffic_totals> databases;
    for (const auto* each : counts.traffics()) {
        const auto now = read(*each);
        all += now;
        tenants[each->tenant] += now;
        databases[each->pool->database->name] += now;
    }
    out["totals"] = totals_of(all);
    out["latency"] = histogram_of(all.latency);
    std::map<std::string, json> lines;
    for (const auto& [name, now] : tenants)
        lines[name] = totals_of(now);
    for (const auto& each : tenants_now(shared))
        lines[each.name].update(limits_of(each));
    add_named(out["tenants"], lines);
    lines.clear();
    for (const auto& [name, now] : databases)
        lines[name] = totals_of(now);
    add_named(out["databases"], lines);
}

void add_pools(json& out, const std::vector<pool_info>& pools)
{
    for (const auto& each : pools)
        out["pools"].push_back({{"name", each.name},
                                {"database", each.database},
                                {"user", each.user},
                                {"engine", each.engine},
                                {"mode", each.mode},
                                {"size", each.size},
                                {"open", each.open},
                                {"working", each.working},
                                {"idle", std::min(each.idle, each.working)},
                                {"in_flight", each.in_flight},
                                {"in_flight_limit", each.in_flight_limit},
                                {"clients", each.clients},
                                {"active", each.active},
                                {"waiting", each.waiting},
                                {"oldest_wait_ms", milliseconds(each.oldest_wait)},
                                {"last_failure", each.last_failure}});
}

json client_of(const client_info& each, time_point now)
{
    return {{"id", each.id},
            {"user", each.user},
            {"database", each.database},
            {"tenant", each.tenant},
            {"pool", each.pool},
            {"peer", each.peer},
            {"application", each.application},
            {"protocol", each.mysql ? "mysql" : "postgres"},
            {"state", name_of(each.state)},
            {"for", each.waits_for},
            {"why", each.waits_why},
            {"pinned_by", each.pinned_by},
            {"backend", each.backend},
            {"unsent_bytes", each.unsent},
            {"since_ms", milliseconds(std::max(now - each.since, std::chrono::nanoseconds(0)))}};
}

void add_clients(json& out, const snapshot& now)
{
    std::vector<const client_info*> waiting;
    std::vector<const client_info*> pinned;
    std::map<std::string, std::size_t> states;
    for (const auto& each : now.clients) {
        ++states[std::string(name_of(each.state))];
        if (each.state == client_state::waiting)
            waiting.push_back(&each);
        if (!each.pinned_by.empty() || each.state == client_state::in_transaction)
            pinned.push_back(&each);
    }
    out["clients"] = states;
    const auto list = [&](const char* name, auto& all) {
        out[name] = json::array();
        out[std::string(name) + "_count"] = all.size();
        std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) {
            return a->since < b->since;
        });
        for (std::size_t i = 0; i < std::min(all.size(), rows_max); ++i)
            out[name].push_back(client_of(*all[i], now.taken));
    };
    list("waiting", waiting);
    list("pinned", pinned);
}

json statements_of(const registry& counts, std::size_t limit)
{
    json out = json::array();
    struct row {
        std::string database;
        statement_totals now;
    };
    std::vector<row> rows;
    for (const auto* database : counts.databases()) {
        std::map<std::uint64_t, statement_totals> found;
        for (const auto& worker : database->workers)
            worker->statements.read(found);
        for (auto& [digest, now] : found)
            rows.push_back({database->name, std::move(now)});
    }
    const auto most = std::min(rows.size(), limit);
    std::partial_sort(
        rows.begin(),
        rows.begin() + static_cast<std::ptrdiff_t>(most),
        rows.end(),
        [](const row& a, const row& b) { return a.now.backend_time > b.now.backend_time; });
    for (std::size_t i = 0; i < most; ++i) {
        const auto& now = rows[i].now;
        char digest[17];
        std::snprintf(
            digest, sizeof digest, "%016llx", static_cast<unsigned long long>(now.digest));
        out.push_back({{"database", rows[i].database},
                       {"digest", digest},
                       {"text", counts.texts().find(now.digest)},
                       {"calls", now.calls},
                       {"rows", now.rows},
                       {"errors", now.errors},
                       {"backend_ms", milliseconds(now.backend_time)},
                       {"p50_ms", milliseconds(now.latency.quantile(0.5))},
                       {"p99_ms", milliseconds(now.latency.quantile(0.99))}});
    }
    return out;
}

void add_errors(json& out, const registry& counts)
{
    for (const auto* database : counts.databases()) {
        std::map<std::string, std::uint64_t> codes;
        for (const auto& worker : database->workers) {
            worker->errors.for_each(
                [&](std::uint64_t code, std::uint64_t n) { codes[unpacked(code)] += n; });
        }
        for (const auto& [code, n] : codes)
            out["errors"].push_back({{"database", database->name}, {"code", code}, {"count", n}});
        for (const auto& rule : error_rules()) {
            std::uint64_t sum = 0;
            for (const auto& worker : database->workers)
                sum += worker->refused[static_cast<std::size_t>(rule.code)].read();
            if (sum > 0)
                out["refusals"].push_back({{"database", database->name},
                                           {"reason", rule.name},
                                           {"code", rule.sqlstate},
                                           {"count", sum}});
        }
    }
}

void add_pins(json& out, const registry& counts)
{
    for (const auto* pool : counts.pools()) {
        std::map<std::string_view, std::uint64_t> sums;
        for (const auto& worker : pool->workers)
            worker->pins.for_each([&](const char* reason, std::uint64_t n) { sums[reason] += n; });
        for (const auto& [reason, n] : sums)
            out["pins"].push_back({{"pool", pool->name}, {"reason", reason}, {"count", n}});
    }
}

void add_workers(json& out, context& shared)
{
    for (std::size_t i = 0; i < shared.counts.workers(); ++i) {
        const auto& counts = shared.counts.worker(i);
        out["workers"].push_back(
            {{"clients", shared.workers[i]->clients()},
             {"accepted", counts.accepted.read()},
             {"logins", counts.logins.read()},
             {"login_failures", counts.login_failures.read()},
             {"loop_delay_p99_ms", milliseconds(counts.loop_delay.read().quantile(0.99))}});
    }
}

}  // namespace

std::string state_json(context& shared)
{
    json out;
    for (const char* list : {"tenants",
                             "databases",
                             "pools",
                             "errors",
                             "refusals",
                             "pins",
                             "workers",
                             "waiting",
                             "pinned"})
        out[list] = json::array();
    const auto now = std::chrono::system_clock::now();
    const std::chrono::duration<double> since_1970 = now.time_since_epoch();
    const std::chrono::duration<double> up = now - shared.started_at;
    out["version"] = version;
    out["time"] = since_1970.count();
    out["uptime_s"] = up.count();
    out["draining"] = shared.control.draining();
    add_totals(out, shared);
    add_pools(out, pools_now(shared));
    out["statements"] = statements_of(shared.counts, rows_max / 2);
    add_errors(out, shared.counts);
    add_pins(out, shared.counts);
    add_workers(out, shared);
    const auto clients = gather_now(shared, parts::clients, patience);
    out["complete"] = clients && !clients->truncated;
    if (clients) {
        add_clients(out, *clients);
        out["longest_piece_ms"] = milliseconds(clients->longest_piece);
    }
    // Names come from clients and may be any bytes.
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string statements_json(context& shared)
{
    const auto all = statements_of(shared.counts, statements_max);
    return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

readiness readiness_of(context& shared)
{
    json reasons = json::array();
    if (shared.control.draining())
        reasons.push_back("shutting down");
    else if (!shared.control.ready())
        reasons.push_back("not listening yet");
    json databases = json::object();
    for (const auto& each : pools_now(shared)) {
        databases[each.name] = each.last_failure.empty() ? "ok" : each.last_failure;
        if (each.failed_of_late)
            reasons.push_back("pool \"" + each.name + "\": " + each.last_failure);
    }
    readiness out;
    out.ready = reasons.empty();
    const json all = {{"ready", out.ready}, {"reasons", reasons}, {"databases", databases}};
    out.json = all.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    return out;
}

}  // namespace sluice::gateway
