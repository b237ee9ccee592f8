package proposal

// OwnUsage is ownUsage.
var OwnUsage = ownUsage
