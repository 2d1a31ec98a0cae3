// tests/unit/proto_mysql_login/passwords_test.cpp: known answers, and answers that must not fit.
#include "proto/mysql/passwords.hpp"

#include <gtest/gtest.h>

#include "proto/core/base64.hpp"
#include "proto/mysql/ed25519.hpp"
#include "unit/proto_mysql_login/both_ends.hpp"

namespace sluice::mysql {
namespace {

const std::string nonce = "0123456789abcdefghij";

TEST(MysqlPasswords, VerifiersAreWrittenAsMysqlDoes)
{
    // SELECT PASSWORD('secret') on MariaDB 10.11.
    const auto verifier = native_stage2("secret");
    EXPECT_EQ(format_native_verifier(verifier), "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7");
    EXPECT_EQ(parse_native_verifier("*14e65567abdb5135d0cfd9a70b3032c179a49ee7"), verifier);
    for (const char* bad : {"",
                            "*",
                            "14E65567ABDB5135D0CFD9A70B3032C179A49EE7",
                            "*14E65567ABDB5135D0CFD9A70B3032C179A49EE",
                            "*14E65567ABDB5135D0CFD9A70B3032C179A49EE77",
                            "*14E65567ABDB5135D0CFD9A70B3032C179A49EEG"})
        EXPECT_FALSE(parse_native_verifier(bad)) << bad;
}

TEST(MysqlPasswords, AnswersFitTheirPasswordAndNonceAlone)
{
    const auto native = native_answer("secret", as_bytes(nonce));
    const auto sha2 = sha2_answer("secret", as_bytes(nonce));
    EXPECT_TRUE(native_fits(native, native_stage2("secret"), as_bytes(nonce)));
    EXPECT_TRUE(sha2_fits(sha2, sha2_stage2("secret"), as_bytes(nonce)));
    const auto other = as_bytes("0123456789abcdefghik");
    EXPECT_FALSE(native_fits(native, native_stage2("Secret"), as_bytes(nonce)));
    EXPECT_FALSE(native_fits(native, native_stage2("secret"), other));
    EXPECT_FALSE(sha2_fits(sha2, sha2_stage2("Secret"), as_bytes(nonce)));
    EXPECT_FALSE(sha2_fits(sha2, sha2_stage2("secret"), other));
    for (std::size_t size = 0; size < sha2.size(); ++size) {
        EXPECT_FALSE(
            sha2_fits(bytes_view(sha2).first(size), sha2_stage2("secret"), as_bytes(nonce)));
        const auto most = bytes_view(native).first(std::min(size, native.size() - 1));
        EXPECT_FALSE(native_fits(most, native_stage2("secret"), as_bytes(nonce)));
    }
}

TEST(MysqlPasswords, RsaRoundTrip)
{
    auto& key = *test::gateway_key();
    const auto pem = rsa_public_pem(key);
    const auto parsed = parse_rsa_public_pem(pem);
    ASSERT_TRUE(parsed);
    const std::string longest(128 - 42 - 1, 'x');
    for (const std::string& password : {std::string("secret"), std::string(), longest}) {
        const auto sent = rsa_encrypt_password(*parsed, password, as_bytes(nonce));
        ASSERT_EQ(sent.size(), 128u);
        EXPECT_EQ(rsa_decrypt_password(key, sent, as_bytes(nonce)), password);
    }
    EXPECT_EQ(rsa_encrypt_password(*parsed, longest + "x", as_bytes(nonce)), "");
}

TEST(MysqlPasswords, RsaTakesNothingButWhatWasMadeWithTheKey)
{
    auto& key = *test::gateway_key();
    auto sent = rsa_encrypt_password(key, "secret", as_bytes(nonce));
    EXPECT_FALSE(rsa_decrypt_password(key, sent, as_bytes("another nonce 4567890")));
    EXPECT_FALSE(rsa_decrypt_password(key, sent.substr(1), as_bytes(nonce)));
    EXPECT_FALSE(rsa_decrypt_password(key, "", as_bytes(nonce)));
    sent[100] = static_cast<char>(sent[100] ^ 1);
    EXPECT_FALSE(rsa_decrypt_password(key, sent, as_bytes(nonce)));
    const rsa_key small(EVP_RSA_gen(512), EVP_PKEY_free);
    ASSERT_TRUE(small);
    const auto pem = rsa_public_pem(*small);
    for (const std::string& bad : {std::string(), std::string("-----BEGIN PUBLIC KEY-----\n"), pem})
        EXPECT_FALSE(parse_rsa_public_pem(bad));
}

TEST(MysqlPasswords, Ed25519KeysAreMariaDbs)
{
    // MariaDB's documentation of the plugin: ed25519_password('secret').
    const auto key = ed25519_key_of("secret");
    ASSERT_TRUE(key);
    EXPECT_EQ(base64_encode(*key), "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY=");
}

TEST(MysqlPasswords, Ed25519SignaturesAreValidForPasswordsOfAnyLength)
{
    for (std::size_t size = 0; size < 80; ++size) {
        const std::string password(size, 'p');
        const auto message = as_bytes("thirty-two bytes of a challenge!");
        const auto signature = ed25519_sign(password, message);
        const auto key = ed25519_key_of(password);
        ASSERT_TRUE(signature && key);
        const rsa_key checked(
            EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519,
                                        nullptr,
                                        reinterpret_cast<const unsigned char*>(key->data()),
                                        key->size()),
            EVP_PKEY_free);
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                              EVP_MD_CTX_free);
        ASSERT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, checked.get()), 1);
        EXPECT_EQ(EVP_DigestVerify(context.get(),
                                   reinterpret_cast<const unsigned char*>(signature->data()),
                                   signature->size(),
                                   reinterpret_cast<const unsigned char*>(message.data()),
                                   message.size()),
                  1)
            << size;
        EXPECT_EQ(ed25519_sign(password, message), signature) << "nothing is left to chance";
    }
}

}  // namespace
}  // namespace sluice::mysql
