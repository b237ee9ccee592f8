package config

import (
	"strings"
	"testing"
)

func TestWrappingKeysThatAreWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		key  WrappingKey
		says string
	}{
		"nothing":               {WrappingKey{}, "needs one of"},
		"two":                   {WrappingKey{File: "a", Env: "B"}, "no more than one"},
		"a variable":            {WrappingKey{Env: "a b"}, "not the name of an environment variable"},
		"Vault's without one":   {WrappingKey{File: "a", VaultAddress: "https://v"}, "names no vault_key"},
		"Vault's, no address":   {WrappingKey{VaultKey: "transit/k", VaultTokenFile: "t"}, "vault_address"},
		"Vault's, no mount":     {WrappingKey{VaultKey: "k", VaultAddress: "https://v", VaultTokenFile: "t"}, "transit/k"},
		"Vault's, no URL":       {WrappingKey{VaultKey: "transit/k", VaultAddress: "v", VaultTokenFile: "t"}, "whole URL"},
		"Vault's, a user's":     {WrappingKey{VaultKey: "transit/k", VaultAddress: "https://a:b@v", VaultTokenFile: "t"}, "password"},
		"all right, of age":     {WrappingKey{AgeFile: "a"}, ""},
		"all right, of Vault's": {WrappingKey{VaultKey: "transit/k", VaultAddress: "https://v", VaultTokenFile: "t"}, ""},
	} {
		if got := tc.key.problem(); tc.says == "" && got != "" || !strings.Contains(got, tc.says) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
