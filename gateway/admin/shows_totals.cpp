// gateway/admin/shows_totals.cpp: what was counted since the start: traffic, tenants, statements,
// errors.
#include <algorithm>
#include <cstdio>
#include <map>

#include "gateway/admin/shows.hpp"
#include "gateway/context.hpp"

namespace sluice::gateway::admin {
namespace {

using statistics::traffic_totals;

constexpr std::size_t statements_max = 500;

std::int64_t number(std::uint64_t value)
{
    return static_cast<std::int64_t>(value);
}

std::int64_t microseconds(std::uint64_t nanoseconds)
{
    return static_cast<std::int64_t>(nanoseconds / 1000);
}

std::shared_ptr<const stats_history::totals> totals_now(context& shared)
{
    auto made = std::make_shared<stats_history::totals>();
    // Those that nobody has used yet are zero.
    const auto settings = settings_of(shared);
    for (const auto& [name, entry] : settings->databases) {
        if (name != "*")
            (*made)[name];
    }
    for (const auto* each : shared.counts.databases())
        (*made)[each->name];
    for (const auto* each : shared.counts.traffics())
        (*made)[each->pool->database->name] += read(*each);
    return made;
}

// PgBouncer's seven and our own four, as totals.
std::vector<cell> totals_of(const traffic_totals& all)
{
    return {number(all.transactions),
            number(all.statements),
            number(all.received),
            number(all.sent),
            microseconds(all.transaction_time),
            microseconds(all.backend_time),
            microseconds(all.wait_time),
            number(all.requests),
            number(all.rows),
            number(all.errors),
            number(all.multiplexed)};
}

// Counts and bytes per second; times per transaction, respectively statement.
std::vector<cell> averages_of(const traffic_totals& now, const traffic_totals& then, double seconds)
{
    const auto rate = [&](std::uint64_t a, std::uint64_t b) {
        return static_cast<std::int64_t>(static_cast<double>(a - b) / seconds);
    };
    const auto each = [](std::uint64_t a, std::uint64_t b, std::uint64_t n) {
        return n == 0 ? std::int64_t{0} : microseconds((a - b) / n);
    };
    const auto statements = now.statements - then.statements;
    return {rate(now.transactions, then.transactions),
            rate(now.statements, then.statements),
            rate(now.received, then.received),
            rate(now.sent, then.sent),
            each(now.transaction_time, then.transaction_time, now.transactions - then.transactions),
            each(now.backend_time, then.backend_time, statements),
            each(now.wait_time, then.wait_time, statements),
            rate(now.requests, then.requests),
            rate(now.rows, then.rows),
            rate(now.errors, then.errors),
            rate(now.multiplexed, then.multiplexed)};
}

constexpr std::size_t pgbouncers = 7;  // of the cells above

void append(row& to, const std::vector<cell>& from, std::size_t first, std::size_t last)
{
    to.insert(to.end(),
              from.begin() + static_cast<std::ptrdiff_t>(first),
              from.begin() + static_cast<std::ptrdiff_t>(last));
}

void show_sums(const traffic_totals& all, const std::vector<cell>& averages, answer& into)
{
    static constexpr std::string_view names[] = {"xact_count",
                                                 "query_count",
                                                 "client_bytes",
                                                 "server_bytes",
                                                 "xact_time",
                                                 "query_time",
                                                 "wait_time"};
    const auto totals = totals_of(all);
    for (std::size_t i = 0; i < pgbouncers; ++i)
        into.rows.push_back({"total_" + std::string(names[i]), totals[i]});
    for (std::size_t i = 0; i < pgbouncers; ++i)
        into.rows.push_back({"avg_" + std::string(names[i]), averages[i]});
}

std::string_view name_of(pool::priority value)
{
    return value == pool::priority::high ? "high" : value == pool::priority::low ? "low" : "normal";
}

}  // namespace

void show_stats(context& shared, topic what, answer& into)
{
    const auto now = stats_history::clock::now();
    const auto totals = totals_now(shared);
    const auto then = shared.stats_before.before(now, totals);
    const double seconds = std::max(0.001, std::chrono::duration<double>(now - then.at).count());
    static const traffic_totals nothing;
    const auto earlier = [&](const std::string& name) -> const traffic_totals& {
        const auto found = then.of ? then.of->find(name) : stats_history::totals::const_iterator{};
        return then.of && found != then.of->end() ? found->second : nothing;
    };
    if (what == topic::totals) {
        traffic_totals all;
        traffic_totals before;
        for (const auto& [name, each] : *totals) {
            all += each;
            before += earlier(name);
        }
        show_sums(all, averages_of(all, before, seconds), into);
        return;
    }
    for (const auto& [name, all] : *totals) {
        const auto sums = totals_of(all);
        const auto averages = averages_of(all, earlier(name), seconds);
        row made{name};
        if (what == topic::stats_totals) {
            append(made, sums, 0, sums.size());
        } else if (what == topic::stats_averages) {
            append(made, averages, 0, averages.size());
        } else {
            append(made, sums, 0, pgbouncers);
            append(made, averages, 0, pgbouncers);
            append(made, sums, pgbouncers, sums.size());
        }
        into.rows.push_back(std::move(made));
    }
}

void show_tenants(context& shared, answer& into)
{
    std::map<std::string, traffic_totals> traffic;
    for (const auto* each : shared.counts.traffics())
        traffic[each->tenant] += read(*each);
    for (const auto& each : statistics::tenants_now(shared)) {
        const auto& limits = each.limits;
        const auto& did = traffic[each.name];
        char rate[32];
        std::snprintf(rate, sizeof rate, "%g", limits.max_rate);
        std::uint64_t refused = 0;
        std::string by;
        for (std::size_t i = 0; i < each.refused.size(); ++i) {
            if (each.refused[i] == 0)
                continue;
            refused += each.refused[i];
            by += by.empty() ? "" : ", ";
            by += statistics::name_of(static_cast<pool::limit>(i));
            by += ' ' + std::to_string(each.refused[i]);
        }
        into.rows.push_back({each.name,
                             number(each.clients),
                             number(each.running),
                             number(each.queued),
                             number(limits.max_clients),
                             number(limits.max_concurrent),
                             number(limits.max_queued),
                             std::string(rate),
                             std::to_string(limits.queue_timeout.count()) + "ms",
                             std::int64_t{limits.weight},
                             std::string(name_of(limits.priority)),
                             number(did.requests),
                             number(did.statements),
                             number(did.errors),
                             microseconds(did.wait_time),
                             microseconds(did.backend_time),
                             number(refused),
                             std::move(by)});
    }
}

void show_statements(context& shared, answer& into)
{
    struct line {
        const std::string* database;
        statistics::statement_totals of;
    };
    std::vector<line> all;
    for (const auto* database : shared.counts.databases()) {
        std::map<std::uint64_t, statistics::statement_totals> found;
        for (const auto& worker : database->workers)
            worker->statements.read(found);
        for (auto& [digest, each] : found)
            all.push_back({&database->name, std::move(each)});
    }
    const auto shown = std::min(all.size(), statements_max);
    std::partial_sort(
        all.begin(),
        all.begin() + static_cast<std::ptrdiff_t>(shown),
        all.end(),
        [](const line& a, const line& b) { return a.of.backend_time > b.of.backend_time; });
    all.resize(shown);
    for (auto& each : all) {
        auto& of = each.of;
        char digest[24];
        std::snprintf(digest, sizeof digest, "%016llx", static_cast<unsigned long long>(of.digest));
        const auto us = [&](double quantile) {
            return microseconds(static_cast<std::uint64_t>(of.latency.quantile(quantile).count()));
        };
        into.rows.push_back({*each.database,
                             std::string(digest),
                             number(of.calls),
                             number(of.rows),
                             number(of.errors),
                             us(0.5),
                             us(0.99),
                             of.calls ? microseconds(of.latency.sum / of.calls) : 0,
                             microseconds(of.backend_time),
                             shared.counts.texts().find(of.digest)});
    }
}

void show_errors(context& shared, answer& into)
{
    const auto add = [&](const std::string& database,
                         std::string_view source,
                         std::string code,
                         std::string_view name,
                         std::uint64_t count) {
        if (count > 0)
            into.rows.push_back(
                {database, std::string(source), std::move(code), std::string(name), number(count)});
    };
    const auto rules = error_rules();
    for (const auto* database : shared.counts.databases()) {
        std::map<std::string, std::uint64_t> codes;
        std::uint64_t others = 0;
        std::vector<std::uint64_t> refused(rules.size());
        for (const auto& worker : database->workers) {
            worker->errors.for_each([&](std::uint64_t code, std::uint64_t count) {
                codes[statistics::unpacked(code)] += count;
            });
            others += worker->errors.other();
            for (std::size_t i = 0; i < rules.size(); ++i)
                refused[i] += worker->refused[i].read();
        }
        for (auto& [code, count] : codes)
            add(database->name, "all", code, "", count);
        add(database->name, "all", "other", "", others);
        for (std::size_t i = 0; i < rules.size(); ++i)
            add(database->name,
                "gateway",
                std::string(rules[i].sqlstate),
                rules[i].name,
                refused[i]);
    }
    std::uint64_t logins = 0;
    std::uint64_t handshakes = 0;
    std::vector<std::uint64_t> refused(rules.size());
    for (std::size_t i = 0; i < shared.counts.workers(); ++i) {
        const auto& place = shared.counts.worker(i);
        logins += place.login_failures.read();
        handshakes += place.tls_failures.read();
        for (std::size_t k = 0; k < rules.size(); ++k)
            refused[k] += place.refused[k].read();
    }
    add("", "login", "28P01", "login_failed", logins);
    add("", "login", "", "tls_failed", handshakes);
    for (std::size_t i = 0; i < rules.size(); ++i)
        add("", "gateway", std::string(rules[i].sqlstate), rules[i].name, refused[i]);
}

}  // namespace sluice::gateway::admin
