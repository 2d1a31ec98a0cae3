// gateway/client_limits.hpp: how many clients there are, in all, per database and per user.
//
// Layer: gateway. Thread-safe; touched at login and logout only.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice::gateway {

class client_limits {
public:
    enum class refusal { none, database, user };

    // What a logged-in client holds; counted until it is destroyed.
    class ticket {
    public:
        ticket() = default;
        ticket(ticket&& other) noexcept { swap(other); }
        ticket& operator=(ticket&& other) noexcept
        {
            swap(other);
            return *this;
        }
        ~ticket();

    private:
        friend class client_limits;
        ticket(client_limits& owner, std::string database, std::string user)
            : owner_(&owner), database_(std::move(database)), user_(std::move(user))
        {
        }
        void swap(ticket& other) noexcept
        {
            std::swap(owner_, other.owner_);
            database_.swap(other.database_);
            user_.swap(other.user_);
        }

        client_limits* owner_ = nullptr;
        std::string database_;
        std::string user_;
    };

    // A limit of zero is none.
    refusal enter(std::string_view database,
                  std::size_t database_max,
                  std::string_view user,
                  std::size_t user_max,
                  ticket& into);

    // How many there are now.
    std::size_t clients_of_database(const std::string& name) const;
    std::size_t clients_of_user(const std::string& name) const;

private:
    void leave(const std::string& database, const std::string& user) noexcept;

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::size_t> databases_;
    std::unordered_map<std::string, std::size_t> users_;
};

}  // namespace sluice::gateway
