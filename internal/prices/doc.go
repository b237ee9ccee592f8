// Package prices imports list prices from the clouds' own price lists, keeps
// them in the database, and hands them to package cost as an overlay over the
// embedded catalogue. It keeps discounts and rates, and says how each client's
// plans are priced (Terms); and it reads lists on a schedule (Refresher).
//
// It reads AWS's offer files (JSON and CSV), the answers of Azure's Retail
// Prices API and those of Google's Cloud Billing Catalog, each from an address
// or from a file, gzipped or not.
//
// # Promises
//
// A list is read as a stream: memory grows with the prices that are taken from
// it, never with its size. What is malformed is refused with the file and the
// byte or line, and changes nothing: prices are stored only after the whole
// list has been read, each part (one vendor's service in one region) in one
// transaction together with the row of its history.
//
// A price is taken only where the list says without doubt that it is the one
// that the estimator asks for. Everything else is counted by what it is:
// reserved, spot, dedicated, no price, another currency, a family that has no
// place in the catalogue. Two different prices for one key are a doubt too:
// neither is taken.
//
// An imported price is never another region's or another currency's.
//
// Lists are read on the schedule by one node at a time. What fails leaves the
// prices that were there, and is kept for whoever asks.
//
// # What it does not do
//
// It estimates nothing, fetches no rates, and decides nothing about when prices
// are too old to use.
package prices
