# METADATA
# title: Labels of the pull request
# description: Whether a person has set a label that allows something.
package tidelock.labels

# any_set(names) holds where the pull request has one of the labels. A run
# without a pull request has none.
any_set(names) if {
	some name in names
	lower(name) == lower(input.pull.labels[_])
}
