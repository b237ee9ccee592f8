package cost

import (
	"regexp"
	"strings"
)

// findRegion says where a resource is: by its own attributes, by the zone it
// is put in, by the name that the cloud gave it, or by the configuration of
// its provider. "" means that nothing tells.
func (s *side) findRegion() string {
	switch s.cloud() {
	case "aws":
		return s.awsRegion()
	case "azure":
		return s.azureRegion()
	}
	return s.googleRegion()
}

var awsZone = regexp.MustCompile(`^([a-z]{2}(?:-[a-z]+)+-\d+(?:-[a-z]{3}-\d+)?)[a-z]$`)

func (s *side) awsRegion() string {
	if r, ok := s.str("region"); ok == known {
		return r
	}
	if z, ok := s.str("availability_zone"); ok == known {
		if m := awsZone.FindStringSubmatch(z); m != nil {
			return m[1]
		}
	}
	if zone, _, ok := s.first("availability_zones"); ok == known {
		if m := awsZone.FindStringSubmatch(zone); m != nil {
			return m[1]
		}
	}
	if arn, ok := s.str("arn"); ok == known {
		if parts := strings.Split(arn, ":"); len(parts) > 3 && parts[3] != "" {
			return parts[3]
		}
	}
	return s.providerRegion("aws", "region")
}

// home says by which argument a resource without a place of its own names the
// one that it is part of.
type home struct {
	arguments []string
	by        []string // attributes of the other that the argument may hold
	of        string   // the other's type
}

var azureHomes = map[string]home{
	"azurerm_kubernetes_cluster_node_pool": {[]string{"kubernetes_cluster_id"}, []string{"id"}, "azurerm_kubernetes_cluster"},
	"azurerm_mssql_database":               {[]string{"server_id"}, []string{"id"}, "azurerm_mssql_server"},
	"azurerm_storage_share":                {[]string{"storage_account_id", "storage_account_name"}, []string{"id", "name"}, "azurerm_storage_account"},
	"azurerm_storage_queue":                {[]string{"storage_account_id", "storage_account_name"}, []string{"id", "name"}, "azurerm_storage_account"},
	"azurerm_synapse_sql_pool":             {[]string{"synapse_workspace_id"}, []string{"id"}, "azurerm_synapse_workspace"},
	"azurerm_synapse_spark_pool":           {[]string{"synapse_workspace_id"}, []string{"id"}, "azurerm_synapse_workspace"},
	"azurerm_key_vault_key":                {[]string{"key_vault_id"}, []string{"id"}, "azurerm_key_vault"},
	"azurerm_key_vault_certificate":        {[]string{"key_vault_id"}, []string{"id"}, "azurerm_key_vault"},
}

// homeOf finds what a resource is part of.
func (s *side) homeOf(h home) (view, bool) {
	for _, argument := range h.arguments {
		value, _ := s.str(argument)
		if v, _, ok := s.join(value, h.by, []string{h.of}, argument); ok {
			return v, true
		}
	}
	return view{}, false
}

func (s *side) azureRegion() string {
	location, ok := s.str("location")
	if ok != known {
		if h, part := azureHomes[s.ch.Type]; part {
			if v, found := s.homeOf(h); found {
				location, _ = v.str("location")
			}
		}
	}
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}

var (
	googleZone   = regexp.MustCompile(`^([a-z]+-[a-z]+\d+)-[a-z]$`)
	googleRegion = regexp.MustCompile(`^[a-z]+-[a-z]+\d+$`)
)

func (s *side) googleRegion() string {
	for _, key := range []string{"zone", "region", "location"} {
		if v, ok := s.str(key); ok == known {
			return zoneRegion(v)
		}
	}
	if s.ch.Type == "google_bigquery_table" {
		if v, found := s.homeOf(home{[]string{"dataset_id"}, []string{"dataset_id", "id"}, "google_bigquery_dataset"}); found {
			if l, ok := v.str("location"); ok == known {
				return zoneRegion(l)
			}
		}
		return ""
	}
	if s.ch.Type == "google_container_node_pool" {
		if cluster, _, found := s.cluster(); found {
			if v, ok := cluster.str("location"); ok == known {
				return zoneRegion(v)
			}
		}
	}
	// A zone of the resource's own that is not known yet may lie anywhere,
	// unless the configuration leaves it to the provider.
	if r, _ := s.x.cfg.resource(s.ch); r != nil {
		for _, key := range []string{"zone", "region", "location"} {
			if _, set := r.Expressions[key]; set {
				return ""
			}
		}
	}
	if r := s.providerRegion("google", "region"); r != "" {
		return r
	}
	return zoneRegion(s.providerRegion("google", "zone"))
}

// zoneRegion returns the region of a zone, or of a link to one; a region is
// its own.
func zoneRegion(v string) string {
	v = strings.ToLower(v[strings.LastIndexByte(v, '/')+1:]) // buckets are in US-CENTRAL1
	if m := googleZone.FindStringSubmatch(v); m != nil {
		return m[1]
	}
	return v
}

// providerRegion reads an argument of the resource's provider configuration.
// A value that looks like no region is none: the plan tells which variable an
// expression uses, not what it makes of it.
func (s *side) providerRegion(provider, argument string) string {
	pc, ok := s.x.cfg.providerOf(s, provider)
	if !ok {
		return ""
	}
	v, ok := s.x.cfg.resolve(pc.Expressions[argument], s.x.cfg.moduleOrRoot(pc.Module), 0)
	text, isText := v.(string)
	if !ok || !isText {
		return ""
	}
	switch {
	case provider == "aws" && !awsZone.MatchString(text+"a"):
		return ""
	case provider == "google" && !googleRegion.MatchString(text) && !googleZone.MatchString(text):
		return ""
	}
	return text
}

func (c *config) moduleOrRoot(address string) *module {
	if m := c.module(address); m != nil {
		return m
	}
	return c.root
}

// providerOf finds the provider configuration that a resource uses. One that
// is no longer configured had the only configuration of its provider, or
// nobody knows.
func (c *config) providerOf(s *side, provider string) (providerConfig, bool) {
	if r, _ := c.resource(s.ch); r != nil {
		pc, ok := c.providers[r.Provider]
		return pc, ok
	}
	var found []providerConfig
	for _, pc := range c.providers {
		if pc.Name == provider || provider == "google" && pc.Name == "google-beta" {
			found = append(found, pc)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return providerConfig{}, false
}
