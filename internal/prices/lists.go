package prices

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// The vendors' own addresses.
const (
	awsHost   = "https://pricing.us-east-1.amazonaws.com"
	azureHost = "https://prices.azure.com"
	gcpHost   = "https://cloudbilling.googleapis.com"
)

// awsOffers are the offers that have anything for the catalogue.
var awsOffers = []string{"AmazonEC2", "AWSELB", "AmazonVPC", "AmazonRDS", "AmazonElastiCache", "AmazonES", "AmazonEKS", "AmazonCloudWatch"}

// azureServices are the services that have anything for the catalogue.
var azureServices = func() []string {
	all := []string{"Virtual Machines"}
	for _, r := range azureRules {
		if !slices.Contains(all, r.service) {
			all = append(all, r.service)
		}
	}
	return all
}()

// googleServices are Google's IDs of the services that have anything for the
// catalogue.
var googleServices = []struct{ name, id string }{
	{computeEngine, "6F81-5844-456A"}, {cloudSQL, "9662-B51E-5089"}, {cloudStorage, "95FF-2EF5-5EA1"}, {redisStore, "5AF5-2C11-D467"},
}

// Offers returns the vendor's services that the importer knows a place for.
func Offers(cloud string) []string {
	switch cloud {
	case AWS:
		return slices.Clone(awsOffers)
	case Azure:
		return slices.Clone(azureServices)
	case GCP:
		var names []string
		for _, s := range googleServices {
			names = append(names, s.name)
		}
		return names
	}
	return nil
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)

// CheckCurrency says what is wrong with a currency of a cloud's price list.
func CheckCurrency(cloud, currency string) error {
	switch {
	case currency == "" || currency == dollars:
		return nil
	case !IsCurrency(currency):
		return errs.New(errs.Invalid, "%q is no currency: those are three capital letters, such as EUR.", currency)
	case cloud != Azure:
		return errs.New(errs.Invalid, "The price list of %s is in USD. Only Azure sets prices in other currencies; a rate turns the others (tidelock prices rate set).", cloud)
	}
	return nil
}

// Lists returns the vendor's own price lists of some services, by default all
// that the importer knows, in some regions and a currency, by default dollars.
// AWS has a list for each region, so it needs the regions' names.
func Lists(cloud string, offers, regions []string, currency string) ([]List, error) {
	if err := CheckCurrency(cloud, currency); err != nil {
		return nil, err
	}
	for i, r := range regions {
		if regions[i] = strings.ToLower(r); !regionName.MatchString(regions[i]) {
			return nil, errs.New(errs.Invalid, "%q is no name of a region.", r)
		}
	}
	known := Offers(cloud)
	var chosen []string
	for _, o := range offers {
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, o) })
		if i < 0 {
			return nil, errs.New(errs.Invalid, "The catalogue has no place for the service %q. It has one for %s.", o, strings.Join(known, ", "))
		}
		chosen = append(chosen, known[i])
	}
	if len(chosen) == 0 {
		chosen = known
	}
	var lists []List
	for _, offer := range chosen {
		switch cloud {
		case AWS:
			if len(regions) == 0 {
				return nil, errs.New(errs.Invalid, "Name the regions with --region: AWS has a price list for each.")
			}
			for _, r := range regions {
				lists = append(lists, List{Cloud: AWS, URL: fmt.Sprintf("%s/offers/v1.0/aws/%s/current/%s/index.json", awsHost, offer, r), Whole: true})
			}
		case Azure:
			all := regions
			if len(all) == 0 {
				all = []string{""}
			}
			for _, r := range all {
				filter := fmt.Sprintf("priceType eq 'Consumption' and serviceName eq '%s'", offer)
				if r != "" {
					filter += fmt.Sprintf(" and armRegionName eq '%s'", r)
				}
				lists = append(lists, List{Cloud: Azure, Whole: true,
					URL: azureHost + "/api/retail/prices?" + url.Values{"api-version": {"2023-01-01-preview"}, "currencyCode": {cmp.Or(currency, dollars)}, "$filter": {filter}}.Encode()})
			}
		case GCP:
			for _, s := range googleServices {
				if s.name == offer {
					lists = append(lists, List{Cloud: GCP, Whole: true, URL: fmt.Sprintf("%s/v1/services/%s/skus?currencyCode=USD&pageSize=5000", gcpHost, s.id)})
				}
			}
		}
	}
	return lists, nil
}
