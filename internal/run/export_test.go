package run

// LoadsQuery is what Loads asks.
var LoadsQuery = loadsQuery
