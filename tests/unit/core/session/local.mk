# Unit tests of core/session.
UNIT_TESTS += tests/unit/core/session/session_test
tests_unit_core_session_session_test_SOURCES = tests/unit/core/session/session_test.c

UNIT_TESTS += tests/unit/core/session/local_test
tests_unit_core_session_local_test_SOURCES = tests/unit/core/session/local_test.c

UNIT_TESTS += tests/unit/core/session/dockerauth_test
tests_unit_core_session_dockerauth_test_SOURCES = tests/unit/core/session/dockerauth_test.c
