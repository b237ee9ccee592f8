package cost

// metered are the types that are paid for by use alone, with what the usage
// file says of them.
var metered = map[string][]meter{}
