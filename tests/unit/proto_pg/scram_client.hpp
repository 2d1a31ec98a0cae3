// tests/unit/proto_pg/scram_client.hpp: the client's side of SCRAM-SHA-256, for tests.
#pragma once

#include <openssl/evp.h>

#include <string>

#include "proto/core/base64.hpp"
#include "proto/pg/sha256.hpp"

namespace sluice::test {

class scram_client {
public:
    explicit scram_client(std::string password,
                          std::string header = "n,,",
                          std::string binding = "")
        : password_(std::move(password)), header_(std::move(header)), binding_(std::move(binding))
    {
    }

    std::string first() const { return header_ + bare_; }

    std::string final(const std::string& server_first)
    {
        const auto salt_at = server_first.find(",s=");
        const auto iterations_at = server_first.find(",i=");
        const auto nonce = server_first.substr(0, salt_at);
        const auto salt =
            *base64_decode(server_first.substr(salt_at + 3, iterations_at - salt_at - 3));
        const int iterations = std::stoi(server_first.substr(iterations_at + 3));

        pg::sha256_digest salted{};
        PKCS5_PBKDF2_HMAC(password_.data(),
                          static_cast<int>(password_.size()),
                          reinterpret_cast<const unsigned char*>(salt.data()),
                          static_cast<int>(salt.size()),
                          iterations,
                          EVP_sha256(),
                          static_cast<int>(salted.size()),
                          reinterpret_cast<unsigned char*>(salted.data()));
        const auto bound = header_ + binding_;
        const auto without_proof = "c=" + base64_encode(as_bytes(bound)) + "," + nonce;
        const auto auth_message = bare_ + "," + server_first + "," + without_proof;
        const auto client_key = pg::hmac_sha256(salted, as_bytes("Client Key"));
        auto proof = pg::hmac_sha256(pg::sha256(client_key), as_bytes(auth_message));
        for (std::size_t i = 0; i < proof.size(); ++i)
            proof[i] ^= client_key[i];
        const auto server_key = pg::hmac_sha256(salted, as_bytes("Server Key"));
        expected_ = "v=" + base64_encode(pg::hmac_sha256(server_key, as_bytes(auth_message)));
        return without_proof + ",p=" + base64_encode(proof);
    }

    bool trusts(const std::string& server_final) const { return server_final == expected_; }

private:
    std::string password_;
    std::string header_;
    std::string binding_;
    std::string bare_ = "n=,r=clientnonce";
    std::string expected_;
};

}  // namespace sluice::test
