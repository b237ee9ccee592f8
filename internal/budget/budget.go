package budget

import (
	"github.com/shopspring/decimal"
)

// Budget is what some projects may cost a month, as the server's configuration
// says. Which projects is told by Scope; budgets may overlap, and each counts.
type Budget struct {
	Name     string
	Scope    Scope
	Amount   decimal.Decimal
	Currency string
}

// Scope says which projects a budget looks at: those that everything it names
// holds for. The zero one looks at all.
type Scope struct {
	Client string // a client's slug
}
