-- +goose Up

-- List prices that the vendor itself sets in another currency than dollars.
-- Where a client's estimates are in it, they go before those in dollars.
CREATE TABLE prices_native (
    currency TEXT NOT NULL, -- ISO 4217; never USD
    cloud    TEXT NOT NULL,
    service  TEXT NOT NULL,
    region   TEXT NOT NULL,
    sku      TEXT NOT NULL,
    offer    TEXT NOT NULL,
    amount   TEXT NOT NULL, -- decimal, positive
    unit     TEXT NOT NULL,
    PRIMARY KEY (currency, cloud, service, region, sku)
);
CREATE INDEX prices_native_offer ON prices_native (currency, cloud, offer, region);

ALTER TABLE price_imports ADD COLUMN currency TEXT NOT NULL DEFAULT 'USD';

-- What came of the scheduled reading of each price list.
CREATE TABLE price_refreshes (
    list     TEXT    NOT NULL PRIMARY KEY, -- what is read, by cloud, service, region and currency
    cloud    TEXT    NOT NULL,
    tried_ms BIGINT  NOT NULL, -- the last time
    done_ms  BIGINT  NOT NULL, -- the last time that it was read and stored; 0 for never
    failures BIGINT  NOT NULL, -- since then
    error    TEXT    NOT NULL  -- of the last time; '' where it went well
);
