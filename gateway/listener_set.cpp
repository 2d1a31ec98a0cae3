// gateway/listener_set.cpp: all places where clients connect.
#include "gateway/listener_set.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include <asio/post.hpp>

#include "gateway/log/log.hpp"

namespace sluice::gateway {
namespace {

const char* name_of(client_protocol protocol) noexcept
{
    return protocol == client_protocol::postgres ? "postgres" : "mysql";
}

}  // namespace

std::vector<listener_set::wanted> listener_set::all_of(const listen_config& settings)
{
    std::vector<wanted> all;
    for (const auto& where : settings.postgres)
        all.push_back({where, client_protocol::postgres});
    for (const auto& where : settings.mysql)
        all.push_back({where, client_protocol::mysql});
    return all;
}

std::unique_ptr<listener> listener_set::make(const wanted& what, int fd) const
{
    auto made = std::make_unique<listener>(shared_, io_, what.where, what.protocol, fd);
    log::info("listening",
              {{"protocol", name_of(what.protocol)},
               {"address", made->address()},
               {"inherited", fd >= 0}});
    return made;
}

void listener_set::open(const listen_config& settings,
                        std::vector<inherited_socket>& inherited,
                        std::chrono::steady_clock::duration patience)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    for (const auto& each : all_of(settings)) {
        const int fd = take_socket(inherited, name_of(each.protocol), each.where);
        for (bool made = false; !made;) {
            try {
                all_.push_back(make(each, fd));
                made = true;
            } catch (const std::runtime_error&) {
                if (std::chrono::steady_clock::now() >= until)
                    throw;
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
        }
    }
}

void listener_set::start(client_protocol protocol)
{
    for (auto& each : all_) {
        if (each->protocol() == protocol)
            each->start();
    }
}

void listener_set::prepare(const listen_config& settings)
{
    prepared_.clear();
    for (const auto& each : all_of(settings)) {
        const bool known = std::any_of(all_.begin(), all_.end(), [&](const auto& present) {
            return present->is(each.where, each.protocol);
        });
        if (known)
            continue;
        try {
            prepared_.push_back(make(each, -1));
        } catch (...) {
            prepared_.clear();
            throw;
        }
    }
}

void listener_set::commit(const listen_config& settings)
{
    const auto wanted_ones = all_of(settings);
    std::erase_if(all_, [&](auto& present) {
        const bool stays =
            std::any_of(wanted_ones.begin(), wanted_ones.end(), [&](const wanted& each) {
                return present->is(each.where, each.protocol);
            });
        if (stays)
            return false;
        log::info("not listening any more",
                  {{"protocol", name_of(present->protocol())}, {"address", present->address()}});
        present->stop();
        // Its handlers that are under way still look at it.
        asio::post(io_, [gone = std::shared_ptr<listener>(std::move(present))] {});
        return true;
    });
    for (auto& present : all_)
        present->adjust(settings);
    for (auto& fresh : prepared_) {
        fresh->start();
        all_.push_back(std::move(fresh));
    }
    prepared_.clear();
}

void listener_set::stop()
{
    for (auto& each : all_)
        each->stop();
}

void listener_set::hand_over()
{
    for (auto& each : all_)
        each->hand_over();
}

std::vector<inherited_socket> listener_set::sockets() const
{
    std::vector<inherited_socket> all;
    for (const auto& each : all_) {
        if (each->fd() >= 0)
            all.push_back({each->fd(), name_of(each->protocol()), each->where().text()});
    }
    return all;
}

}  // namespace sluice::gateway
