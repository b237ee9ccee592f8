package cost

import "github.com/shopspring/decimal"

// Advice is one thing that could cost less, and by how much: both sides of it
// are priced, in the resource's own region.
type Advice struct {
	ID      string          `json:"id"` // "aws.gp2": what it is about, the same for all resources
	Address string          `json:"address"`
	Text    string          `json:"text"` // what to do, a sentence
	Why     string          `json:"why"`  // why it costs less, and what holds it to be as good
	Saving  decimal.Decimal `json:"saving"`
	// Touched is set where a line of the change stands in the block that
	// declares the resource.
	Touched bool   `json:"touched,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}
