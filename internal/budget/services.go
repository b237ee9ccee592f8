package budget

import "github.com/tidelock/tidelock/internal/cost"

// servicesOf returns what each service costs a month after the change.
func servicesOf(e cost.Estimate) []Service {
	var all []Service
	for _, s := range e.ByService() {
		if !s.After.IsZero() {
			all = append(all, Service{Cloud: s.Cloud, Service: s.Service, Label: s.Label, Rate: s.After})
		}
	}
	return all
}
