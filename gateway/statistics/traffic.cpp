// gateway/statistics/traffic.cpp: reading and adding up.
#include "gateway/statistics/traffic.hpp"

namespace sluice::gateway::statistics {

traffic_totals& traffic_totals::operator+=(const traffic_totals& other) noexcept
{
    requests += other.requests;
    statements += other.statements;
    transactions += other.transactions;
    rows += other.rows;
    errors += other.errors;
    received += other.received;
    sent += other.sent;
    multiplexed += other.multiplexed;
    backend_time += other.backend_time;
    transaction_time += other.transaction_time;
    wait_time += other.wait_time;
    logins += other.logins;
    clients += other.clients;
    active += other.active;
    waiting += other.waiting;
    latency += other.latency;
    wait += other.wait;
    return *this;
}

traffic_totals read(const traffic& from) noexcept
{
    traffic_totals all;
    all.requests = from.requests.read();
    all.statements = from.statements.read();
    all.transactions = from.transactions.read();
    all.rows = from.rows.read();
    all.errors = from.errors.read();
    all.received = from.received.read();
    all.sent = from.sent.read();
    all.multiplexed = from.multiplexed.read();
    all.backend_time = from.backend_time.read();
    all.transaction_time = from.transaction_time.read();
    all.wait_time = from.wait_time.read();
    all.logins = from.logins.read();
    all.clients = from.clients.read();
    all.active = from.active.read();
    all.waiting = from.waiting.read();
    all.latency = from.latency.read();
    all.wait = from.wait.read();
    return all;
}

}  // namespace sluice::gateway::statistics
