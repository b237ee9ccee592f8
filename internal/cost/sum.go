package cost

// Plus adds the totals of another project's estimate, for what a change does
// as a whole. The resources of both stay where they are: the sum has none.
// What is in another currency is not added: the sum then says that it lacks it.
func (e Estimate) Plus(o Estimate) Estimate {
	e.Resources, e.Sources, e.UsageUnread = nil, nil, nil
	e.joinTerms(o)
	if e.Failed == "" {
		e.Failed = o.Failed
	}
	if o.Currency != e.Currency && o.Currency != "" && e.Currency != "" {
		e.AtLeast, e.Bound = true, BoundPartial
	} else {
		e.ByUse = e.ByUse.plus(o.ByUse)
		e.Before, e.After, e.Delta = e.Before.Add(o.Before), e.After.Add(o.After), e.Delta.Add(o.Delta)
		e.AtLeast = e.AtLeast || o.AtLeast
		e.Bound = e.Bound.And(o.Bound)
	}
	e.Counts.Priced += o.Counts.Priced
	e.Counts.Free += o.Counts.Free
	e.Counts.Usage += o.Counts.Usage
	e.Counts.NotPriced += o.Counts.NotPriced
	e.Counts.Total += o.Counts.Total
	e.Counts.Partial += o.Counts.Partial
	e.Counts.NoPrice += o.Counts.NoPrice
	e.Counts.Unknown += o.Counts.Unknown
	e.Counts.Unsupported += o.Counts.Unsupported
	if e.AsOfFrom == "" || (o.AsOfFrom != "" && o.AsOfFrom < e.AsOfFrom) {
		e.AsOfFrom = o.AsOfFrom
	}
	if o.AsOfTo > e.AsOfTo {
		e.AsOfTo = o.AsOfTo
	}
	e.AsOf = e.AsOfFrom
	if e.AsOfTo != e.AsOfFrom {
		e.AsOf = e.AsOfFrom + " to " + e.AsOfTo
	}
	return e
}

// And returns the bound of a sum of two differences; "" is that of nothing.
func (b Bound) And(o Bound) Bound {
	switch {
	case o == "" || o == b:
		return b
	case b == "" || b == BoundExact:
		return o
	case o == BoundExact:
		return b
	}
	return BoundPartial
}

// plus adds amounts, of which either may be missing.
func (a *Amounts) plus(o *Amounts) *Amounts {
	switch {
	case a == nil:
		return o
	case o == nil:
		return a
	}
	return &Amounts{Before: a.Before.Add(o.Before), After: a.After.Add(o.After), Delta: a.Delta.Add(o.Delta)}
}
