// gateway/http/metrics.cpp: every number, with its name, unit and labels.
//
// Names: sluice_WHAT_UNIT[_total]; seconds and bytes. Labels: database, pool (a database's name, or
// database/user), tenant, each bounded by the registry.
#include "gateway/http/metrics.hpp"

#include "gateway/context.hpp"
#include "gateway/statistics/exposition.hpp"
#include "gateway/statistics/snapshot.hpp"
#include "gateway/worker.hpp"

namespace sluice::gateway {
namespace {

using namespace statistics;

// Buckets from 65 µs to 8.6 s.
constexpr unsigned first_doubling = 16;
constexpr unsigned last_doubling = 33;

double seconds(std::uint64_t ns) noexcept
{
    return static_cast<double>(ns) / 1e9;
}

void add_traffic(exposition& out, const registry& counts)
{
    struct row {
        labels of;
        traffic_totals now;
    };
    std::vector<row> rows;
    for (const auto* each : counts.traffics()) {
        row& made = rows.emplace_back();
        made.of.add("database", each->pool->database->name)
            .add("pool", each->pool->name)
            .add("tenant", each->tenant);
        made.now = read(*each);
    }
    const auto counter = [&](std::string_view name, std::string_view help, const auto& value) {
        out.family(name, "counter", help);
        for (const auto& each : rows)
            out.sample(each.of, value(each.now));
    };
    const auto gauge = [&](std::string_view name, std::string_view help, const auto& value) {
        out.family(name, "gauge", help);
        for (const auto& each : rows)
            out.sample(each.of, value(each.now));
    };
    gauge("sluice_clients", "Clients that are logged in.", [](const auto& n) { return n.clients; });
    gauge("sluice_clients_active", "Clients with a request that has a backend.", [](const auto& n) {
        return n.active;
    });
    gauge("sluice_clients_waiting", "Clients with a request that waits.", [](const auto& n) {
        return n.waiting;
    });
    counter(
        "sluice_logins_total", "Clients that logged in.", [](const auto& n) { return n.logins; });
    counter("sluice_statements_total",
            "Statements: Query, Execute, COM_QUERY, COM_STMT_EXECUTE.",
            [](const auto& n) { return n.statements; });
    counter("sluice_requests_total", "Requests that were answered.", [](const auto& n) {
        return n.requests;
    });
    counter("sluice_transactions_total", "Transactions that ended.", [](const auto& n) {
        return n.transactions;
    });
    counter("sluice_rows_total", "Rows returned or changed.", [](const auto& n) { return n.rows; });
    counter("sluice_received_bytes_total", "Bytes from clients.", [](const auto& n) {
        return n.received;
    });
    counter("sluice_sent_bytes_total", "Bytes to clients.", [](const auto& n) { return n.sent; });
    counter("sluice_multiplexed_requests_total",
            "Requests that were written behind other clients' on one backend.",
            [](const auto& n) { return n.multiplexed; });
    counter("sluice_backend_seconds_total",
            "Time of requests from having a backend to the end of the reply.",
            [](const auto& n) { return seconds(n.backend_time); });
    counter("sluice_transaction_seconds_total",
            "Time of transactions from having a backend to their end.",
            [](const auto& n) { return seconds(n.transaction_time); });
    out.family("sluice_request_seconds",
               "histogram",
               "Time of requests from their arrival to the end of the reply.");
    for (const auto& each : rows)
        out.histogram_sample(each.of, each.now.latency, first_doubling, last_doubling);
    out.family("sluice_wait_seconds", "histogram", "Time that requests waited for a backend.");
    for (const auto& each : rows)
        out.histogram_sample(each.of, each.now.wait, first_doubling, last_doubling);
}

// Limits of zero are none.
void add_tenants(exposition& out, context& shared)
{
    const auto all = tenants_now(shared);
    const auto of = [](const tenant_info& each) { return labels().add("tenant", each.name); };
    out.family("sluice_tenant_running",
               "gauge",
               "Requests and transactions that hold one of the tenant's max_concurrent.");
    for (const auto& each : all)
        out.sample(of(each), each.running);
    out.family("sluice_tenant_queued", "gauge", "Requests of the tenant that wait.");
    for (const auto& each : all)
        out.sample(of(each), each.queued);
    out.family("sluice_tenant_buffered_bytes",
               "gauge",
               "Bytes on their way to and from the tenant's clients.");
    for (const auto& each : all)
        out.sample(of(each), each.buffered);
    out.family("sluice_tenant_limit", "gauge", "The tenant's limits, by setting.");
    for (const auto& each : all) {
        const auto line = [&](std::string_view name, double value) {
            if (value > 0)
                out.sample(of(each).add("limit", name), value);
        };
        line("max_clients", static_cast<double>(each.limits.max_clients));
        line("max_concurrent", static_cast<double>(each.limits.max_concurrent));
        line("max_queued", static_cast<double>(each.limits.max_queued));
        line("max_rate", each.limits.max_rate);
        line("max_buffer", static_cast<double>(each.limits.max_buffer));
    }
    out.family("sluice_tenant_refusals_total",
               "counter",
               "Requests and clients that one of the tenant's limits refused.");
    const auto by_limit = [&](const tenant_info& each, const auto& counts) {
        for (std::size_t i = 0; i < counts.size(); ++i)
            out.sample(of(each).add("limit", name_of(static_cast<pool::limit>(i))), counts[i]);
    };
    for (const auto& each : all)
        by_limit(each, each.refused);
    out.family("sluice_tenant_would_refuse_total",
               "counter",
               "What a limit would have refused, for tenants with dry_run.");
    for (const auto& each : all) {
        if (each.limits.dry_run)
            by_limit(each, each.would_refuse);
    }
}

void add_pools(exposition& out, context& shared)
{
    const auto now = pools_now(shared);
    // Several pools may share a name (modes, capabilities of MySQL clients): one line each.
    std::map<std::string, pool_info> pools;
    for (const auto& each : now) {
        if (each.engine == "sqlite")
            continue;
        auto& sum = pools[each.name];
        sum.database = each.database;
        sum.size += each.size;
        sum.open += each.open;
        sum.working += each.working;
        sum.idle += each.idle;
        sum.in_flight += each.in_flight;
        sum.in_flight_limit += each.in_flight_limit;
        sum.oldest_wait = std::max(sum.oldest_wait, each.oldest_wait);
        if (sum.last_failure.empty())
            sum.last_failure = each.last_failure;
    }
    const auto of = [](const std::string& name, const pool_info& info) {
        labels made;
        made.add("database", info.database).add("pool", name);
        return made;
    };
    out.family("sluice_pool_size", "gauge", "Backends that the pool may have (pool.size).");
    for (const auto& [name, info] : pools)
        out.sample(of(name, info), info.size);
    out.family("sluice_backends", "gauge", "Backends by state.");
    for (const auto& [name, info] : pools) {
        const auto idle = std::min(info.idle, info.working);
        out.sample(of(name, info).add("state", "idle"), idle);
        out.sample(of(name, info).add("state", "active"), info.working - idle);
        out.sample(of(name, info).add("state", "connecting"),
                   info.open - std::min(info.working, info.open));
    }
    out.family("sluice_pool_in_flight", "gauge", "Backends that work on requests.");
    for (const auto& [name, info] : pools)
        out.sample(of(name, info), info.in_flight);
    out.family("sluice_pool_in_flight_limit",
               "gauge",
               "How many may: pool.size, or what size = \"auto\" has found.");
    for (const auto& [name, info] : pools)
        out.sample(of(name, info), info.in_flight_limit);
    out.family(
        "sluice_oldest_wait_seconds", "gauge", "How long the longest waiting request waits.");
    for (const auto& [name, info] : pools)
        out.sample(of(name, info), seconds(static_cast<std::uint64_t>(info.oldest_wait.count())));
    out.family("sluice_pool_up", "gauge", "0 when the last connect of the pool failed.");
    for (const auto& [name, info] : pools)
        out.sample(of(name, info), info.last_failure.empty() ? 1 : 0);
}

void add_pool_counts(exposition& out, const registry& counts)
{
    const auto all = counts.pools();
    const auto of = [](const pool_entry& entry) {
        labels made;
        made.add("database", entry.database->name).add("pool", entry.name);
        return made;
    };
    const auto line =
        [&](std::string_view name, std::string_view help, counter pool_place::*which) {
            out.family(name, "counter", help);
            for (const auto* each : all) {
                std::uint64_t sum = 0;
                for (const auto& worker : each->workers)
                    sum += (*worker.*which).read();
                out.sample(of(*each), sum);
            }
        };
    line("sluice_backends_opened_total", "Connections to the server.", &pool_place::opened);
    line("sluice_connect_failures_total",
         "Connects to the server that failed.",
         &pool_place::connect_failures);
    line("sluice_prepared_hits_total",
         "Uses of a statement that its backend had prepared already.",
         &pool_place::prepared_hits);
    line("sluice_prepared_misses_total",
         "Uses of a statement that had to be prepared first.",
         &pool_place::prepared_misses);
    out.family("sluice_pins_total", "counter", "Clients that had to keep a backend, by reason.");
    for (const auto* each : all) {
        std::map<std::string_view, std::uint64_t> sums;
        for (const auto& worker : each->workers) {
            worker->pins.for_each([&](const char* reason, std::uint64_t n) { sums[reason] += n; });
            if (const auto more = worker->pins.other())
                sums[other] += more;
        }
        for (const auto& [reason, n] : sums)
            out.sample(of(*each).add("reason", reason), n);
    }
}

void add_databases(exposition& out, const registry& counts)
{
    const auto all = counts.databases();
    out.family("sluice_errors_total",
               "counter",
               "Errors that clients were answered with, by SQLSTATE or MySQL's number.");
    for (const auto* each : all) {
        std::map<std::string, std::uint64_t> sums;
        for (const auto& worker : each->workers) {
            worker->errors.for_each(
                [&](std::uint64_t code, std::uint64_t n) { sums[unpacked(code)] += n; });
            if (const auto more = worker->errors.other())
                sums[std::string(other)] += more;
        }
        for (const auto& [code, n] : sums)
            out.sample(labels().add("database", each->name).add("code", code), n);
    }
    out.family("sluice_refusals_total", "counter", "Errors of the gateway's own, by reason.");
    for (const auto* each : all) {
        for (const auto& rule : error_rules()) {
            std::uint64_t sum = 0;
            for (const auto& worker : each->workers)
                sum += worker->refused[static_cast<std::size_t>(rule.code)].read();
            if (sum > 0)
                out.sample(labels().add("database", each->name).add("reason", rule.name), sum);
        }
    }
}

void add_sqlite(exposition& out, context& shared)
{
    std::vector<std::pair<labels, sqlite::statistics>> files;
    const auto settings = shared.settings();
    for (const auto& [name, entry] : settings->databases) {
        if (const auto file = shared.files.find(name))
            files.emplace_back(labels().add("database", name), file->stats());
    }
    const auto line = [&](std::string_view name,
                          std::string_view type,
                          std::string_view help,
                          const auto& value) {
        out.family(name, type, help);
        for (const auto& [of, now] : files)
            out.sample(of, value(now));
    };
    line("sluice_sqlite_groups_total", "counter", "Transactions that writes shared.", [](auto& n) {
        return n.groups;
    });
    line("sluice_sqlite_grouped_writes_total", "counter", "Writes in them.", [](auto& n) {
        return n.grouped;
    });
    line("sluice_sqlite_fsyncs_total",
         "counter",
         "Flushes of the write-ahead log to the disk, by commits or for several of them.",
         [](auto& n) { return n.flushes + n.synced; });
    line("sluice_sqlite_write_transactions_total",
         "counter",
         "Transactions that held the writer.",
         [](auto& n) { return n.transactions; });
    line("sluice_sqlite_checkpoints_total", "counter", "Checkpoints.", [](auto& n) {
        return n.checkpoints;
    });
    line("sluice_sqlite_inline_reads_total", "counter", "Reads within an event loop.", [](auto& n) {
        return n.inline_reads;
    });
    line("sluice_sqlite_wal_frames", "gauge", "Pages in the write-ahead log.", [](auto& n) {
        return n.wal_frames;
    });
    line("sluice_sqlite_queued_reads", "gauge", "Reads that wait for a reader.", [](auto& n) {
        return n.queued_reads;
    });
    line("sluice_sqlite_queued_writes", "gauge", "Writes that wait for the writer.", [](auto& n) {
        return n.queued_writes;
    });
    line("sluice_sqlite_handles", "gauge", "Open handles of the file.", [](auto& n) {
        return n.handles;
    });
}

void add_workers(exposition& out, context& shared)
{
    auto& counts = shared.counts;
    const auto line = [&](std::string_view name,
                          std::string_view help,
                          counter worker_place::*which) {
        out.family(name, "counter", help);
        for (std::size_t i = 0; i < counts.workers(); ++i)
            out.sample(labels().add("worker", std::to_string(i)), (counts.worker(i).*which).read());
    };
    line("sluice_accepted_total", "Connections that were accepted.", &worker_place::accepted);
    line("sluice_login_failures_total",
         "Logins with a wrong password or user.",
         &worker_place::login_failures);
    line("sluice_tls_failures_total", "TLS handshakes that failed.", &worker_place::tls_failures);
    out.family("sluice_login_refusals_total", "counter", "Clients refused at login, by reason.");
    for (const auto& rule : error_rules()) {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < counts.workers(); ++i)
            sum += counts.worker(i).refused[static_cast<std::size_t>(rule.code)].read();
        if (sum > 0)
            out.sample(labels().add("reason", rule.name), sum);
    }
    out.family("sluice_worker_clients", "gauge", "Client connections of a worker.");
    for (std::size_t i = 0; i < counts.workers(); ++i)
        out.sample(labels().add("worker", std::to_string(i)), shared.workers[i]->clients());
    out.family("sluice_loop_delay_seconds",
               "histogram",
               "How much later than asked for a timer of the worker's loop ran.");
    for (std::size_t i = 0; i < counts.workers(); ++i)
        out.histogram_sample(labels().add("worker", std::to_string(i)),
                             counts.worker(i).loop_delay.read(),
                             first_doubling,
                             last_doubling);
}

}  // namespace

std::string metrics_text(context& shared)
{
    exposition out(64 * 1024);
    add_traffic(out, shared.counts);
    add_tenants(out, shared);
    add_pools(out, shared);
    add_pool_counts(out, shared.counts);
    add_databases(out, shared.counts);
    add_sqlite(out, shared);
    add_workers(out, shared);
    add_process(out, shared);
    return out.take();
}

}  // namespace sluice::gateway
