-- One row a message of a delivery.
-- +goose Up
CREATE TABLE IF NOT EXISTS ccm_parts (
  delivery_id CHAR(26) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  part        INT          NOT NULL, -- from 0 on
  state       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  html        MEDIUMTEXT   NOT NULL,
  plain       MEDIUMTEXT   NOT NULL,
  utf16       INT          NOT NULL,
  entities    INT          NOT NULL,
  doubtful    BOOLEAN      NOT NULL DEFAULT FALSE,
  message_id  BIGINT       NOT NULL DEFAULT 0,
  chat        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '', -- it went to
  attempts    INT          NOT NULL DEFAULT 0,
  degraded    BOOLEAN      NOT NULL DEFAULT FALSE,
  sent_at     DATETIME(6)  NULL,
  raw         MEDIUMTEXT   NULL, -- Telegram's answer
  error       MEDIUMTEXT   NULL, -- why it did not arrive, as JSON
  PRIMARY KEY (delivery_id, part)
) DEFAULT CHARSET = utf8mb4;
