-- One row a delivery. Times are UTC, by the database's clock. A list is the
-- newest first of all, of a state, of a report or of a chat: an index each.
-- +goose Up
CREATE TABLE IF NOT EXISTS ccm_deliveries (
  id              CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, -- begins with its time, so that new rows lie together
  idempotency_key VARBINARY(512) NULL,
  key_hash        BINARY(32)     NULL, -- of the key; NULL: none, or it is free again
  key_until       DATETIME(6)    NULL,
  fingerprint     VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  report          VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  request         MEDIUMTEXT     NULL,
  chat            VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  thread          BIGINT         NOT NULL,
  silent          BOOLEAN        NOT NULL,
  protect         BOOLEAN        NOT NULL,
  meta            MEDIUMTEXT     NOT NULL,
  state           VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- once nobody holds it
  owner           CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NULL,
  lease_until     DATETIME(6)    NULL, -- NULL: it ended
  step            INT            NOT NULL DEFAULT 0, -- of the owner's statements the last one: an older one that arrives late does nothing
  confirmed       BOOLEAN        NOT NULL DEFAULT FALSE, -- its owner knows that it holds it
  began_at        DATETIME(6)    NOT NULL,
  ended_at        DATETIME(6)    NULL,
  purged_at       DATETIME(6)    NULL,
  decisions       MEDIUMTEXT     NULL,
  UNIQUE KEY ux_ccm_deliveries_key (key_hash),
  KEY ix_ccm_deliveries_began (began_at, id),
  KEY ix_ccm_deliveries_state (state, began_at, id),
  KEY ix_ccm_deliveries_report (report, began_at, id),
  KEY ix_ccm_deliveries_chat (chat, began_at, id),
  KEY ix_ccm_deliveries_lease (lease_until),
  KEY ix_ccm_deliveries_purge (purged_at, ended_at)
) DEFAULT CHARSET = utf8mb4;
