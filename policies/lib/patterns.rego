# METADATA
# title: Patterns in settings
# description: >-
#   Settings are lists of texts, so what belongs to a key is written key=value.
#   A regular expression that can't be read never holds, and must be told: a rule
#   with it would let everything pass.
package tidelock.patterns

# pair("owner=^team-") is ["owner", "^team-"]: the value may hold further signs.
pair(entry) := [trim_space(substring(entry, 0, at)), trim_space(substring(entry, at + 1, -1))] if {
	at := indexof(entry, "=")
	at > 0
}

# unreadable are the entries that are no pair of a key and a regular expression.
unreadable(entries) := {entry | some entry in entries; not _readable(entry)}

_readable(entry) if {
	[_, pattern] := pair(entry)
	regex.is_valid(pattern)
}

# invalid are the regular expressions that can't be read.
invalid(list) := {pattern | some pattern in list; not regex.is_valid(pattern)}

# unglobbable are the patterns with stars that can't be read.
unglobbable(list) := {pattern | some pattern in list; not _globbable(pattern)}

_globbable(pattern) if is_boolean(glob.match(pattern, null, "x"))

# globbed holds where a pattern with stars takes in the whole text, in any case.
globbed(patterns, value) if {
	some pattern in patterns
	glob.match(lower(pattern), null, lower(value))
}
