// gateway/admin/topics.cpp: the columns of every SHOW.
#include "gateway/admin/topics.hpp"

namespace sluice::gateway::admin {
namespace {

// PgBouncer 1.18, doc/usage.md; tests/clients/test_admin.py asks a real one.
constexpr topic_entry topics[] = {
    {topic::help, "HELP", "this list", "command help"},
    {topic::pools,
     "POOLS",
     "connections and clients of each pool",
     "database user cl_active# cl_waiting# cl_active_cancel_req# cl_waiting_cancel_req# sv_active# "
     "sv_active_cancel# sv_being_canceled# sv_idle# sv_used# sv_tested# sv_login# maxwait# "
     "maxwait_us# pool_mode engine size# open# clients# paused# last_failure pool"},
    {topic::clients,
     "CLIENTS",
     "who is connected, and what it does",
     "type user database state addr port# local_addr local_port# connect_time request_time wait# "
     "wait_us# close_needed# ptr link remote_pid# tls application_name id# activity protocol "
     "tenant pool waits_for pinned_by worker# prepared_statements# unsent_bytes#"},
    {topic::servers,
     "SERVERS",
     "connections to databases",
     "type user database state addr port# local_addr local_port# connect_time request_time wait# "
     "wait_us# close_needed# ptr link remote_pid# tls application_name activity pool worker# "
     "requests# prepared_statements#"},
    {topic::stats,
     "STATS",
     "totals and averages of each database",
     "database total_xact_count# total_query_count# total_received# total_sent# total_xact_time# "
     "total_query_time# total_wait_time# avg_xact_count# avg_query_count# avg_recv# avg_sent# "
     "avg_xact_time# avg_query_time# avg_wait_time# total_requests# total_rows# total_errors# "
     "total_multiplexed#"},
    {topic::stats_totals,
     "STATS_TOTALS",
     "totals of each database since the start; times in microseconds",
     "database xact_count# query_count# bytes_received# bytes_sent# xact_time# query_time# "
     "wait_time# requests# rows# errors# multiplexed#"},
    {topic::stats_averages,
     "STATS_AVERAGES",
     "per second, times per statement in microseconds, of the last minute",
     "database xact_count# query_count# bytes_received# bytes_sent# xact_time# query_time# "
     "wait_time# requests# rows# errors# multiplexed#"},
    {topic::totals, "TOTALS", "the sums over all databases", "name value#"},
    {topic::lists, "LISTS", "how many there are of what", "list items#"},
    {topic::databases,
     "DATABASES",
     "what clients may connect to",
     "name host port# database force_user pool_size# min_pool_size# reserve_pool# pool_mode "
     "max_connections# current_connections# paused# disabled# engine max_clients# "
     "current_clients#"},
    {topic::users,
     "USERS",
     "who may connect",
     "name pool_mode max_clients# current_clients# databases backend_user admin# stats#"},
    {topic::config, "CONFIG", "the settings in effect", "key value default changeable help"},
    {topic::version, "VERSION", "the version of this gateway", "version"},
    {topic::state, "STATE", "serving, paused or shutting down", "key value"},
    {topic::mem, "MEM", "memory of the process", "name size# used# free# memtotal#"},
    {topic::tenants,
     "TENANTS",
     "shares, limits and queues of each tenant",
     "tenant clients# active# waiting# max_clients# max_concurrent# max_queued# max_rate "
     "queue_timeout weight# priority requests# statements# errors# wait_time# backend_time# "
     "refused# refused_by"},
    {topic::waiting,
     "WAITING",
     "which clients wait, for what, for how long",
     "id# user database tenant waits_for wait_us# since position# pool application_name addr"},
    {topic::pins,
     "PINS",
     "which clients keep a connection, and why",
     "id# user database tenant pinned_by since pool server_pid# application_name addr"},
    {topic::statements,
     "STATEMENTS",
     "the statements that take most time, without their constants; times in microseconds",
     "database digest calls# rows# errors# p50# p99# mean# backend_time# statement"},
    {topic::errors,
     "ERRORS",
     "errors that clients were answered with",
     "database source code name count#"},
};

}  // namespace

std::span<const topic_entry> all_topics() noexcept
{
    return topics;
}

const topic_entry* find_topic(std::string_view upper_name) noexcept
{
    for (const auto& each : topics) {
        if (each.name == upper_name)
            return &each;
    }
    return nullptr;
}

std::vector<column> columns_of(topic what)
{
    std::vector<column> made;
    for (const auto& each : topics) {
        if (each.what != what)
            continue;
        for (auto rest = each.columns; !rest.empty();) {
            const auto blank = rest.find(' ');
            auto name = rest.substr(0, blank);
            const bool number = name.ends_with('#');
            if (number)
                name.remove_suffix(1);
            made.push_back({std::string(name), number});
            rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
        }
    }
    return made;
}

}  // namespace sluice::gateway::admin
