// Package pricebook is the file format of Tidelock's price catalogue: many
// list prices in few bytes, of which only those are unpacked that are asked
// for.
//
// A book holds sheets. A sheet is what one cloud asks for one service in one
// region: lines of SKU and price, sorted, with a unit and a source. The index
// of all sheets is read when a book is opened; a sheet is unpacked when a
// price in it is first looked up and stays a single string that is searched
// as it is, so that a book of a hundred thousand prices costs kilobytes until
// it is used, and a few megabytes at most.
//
// A price keeps the digits of its source: it is text until somebody
// calculates with it. Prices that are not positive can't be written, since
// nobody could tell "free" from "unknown" later.
//
// The package does not know what the services or SKUs mean; package cost
// does.
package pricebook
