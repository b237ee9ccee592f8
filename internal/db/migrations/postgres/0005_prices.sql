-- +goose Up

-- List prices that were imported. They go before those of the binary.
CREATE TABLE prices (
    cloud   TEXT NOT NULL, -- aws | azure | gcp
    service TEXT NOT NULL, -- the catalogue's word for it
    region  TEXT NOT NULL, -- as the cloud writes it; global: one price for all
    sku     TEXT NOT NULL,
    offer   TEXT NOT NULL, -- the vendor's service whose list has it: what is imported, and replaced, at once
    amount  TEXT NOT NULL, -- decimal, positive, USD
    unit    TEXT NOT NULL,
    PRIMARY KEY (cloud, service, region, sku)
);
CREATE INDEX prices_offer ON prices (cloud, offer, region);

-- Who imported what: a row for each part, one vendor's service in one region,
-- each time. A part's last row says where its prices come from.
CREATE TABLE price_imports (
    id      TEXT    NOT NULL PRIMARY KEY, -- in the order of time
    batch   TEXT    NOT NULL, -- the parts of one import
    cloud   TEXT    NOT NULL,
    offer   TEXT    NOT NULL,
    region  TEXT    NOT NULL,
    actor   TEXT    NOT NULL, -- JSON of access.Actor
    at_ms   BIGINT NOT NULL,
    source  TEXT    NOT NULL, -- file or address
    sha256  TEXT    NOT NULL, -- of what was read, as it was read
    as_of   TEXT    NOT NULL, -- the day the prices were the vendor's: 2006-01-02
    whole   BIGINT NOT NULL, -- 1: the list was complete, and what it lacked was removed
    prices  BIGINT NOT NULL,
    added   BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    removed BIGINT NOT NULL
);
CREATE INDEX price_imports_part ON price_imports (cloud, offer, region, id);

-- What a client pays less than the list says.
CREATE TABLE price_discounts (
    client_id TEXT NOT NULL REFERENCES clients (id),
    cloud     TEXT NOT NULL, -- '': all
    service   TEXT NOT NULL, -- '': all
    since_day TEXT NOT NULL, -- 2006-01-02, the first day that it holds
    percent   TEXT NOT NULL, -- decimal, 0 to 100
    PRIMARY KEY (client_id, cloud, service, since_day)
);

-- What one US dollar is worth in another currency.
CREATE TABLE price_rates (
    currency TEXT NOT NULL, -- ISO 4217
    day      TEXT NOT NULL, -- 2006-01-02
    rate     TEXT NOT NULL, -- decimal, positive
    source   TEXT NOT NULL, -- who says so
    PRIMARY KEY (currency, day)
);
