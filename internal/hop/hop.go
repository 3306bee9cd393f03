// Package hop is every way to get credentials from the world: one file per kind of hop. It is the only importer of the AWS SDK.
package hop
