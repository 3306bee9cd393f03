// Package deliver is every way to hand credentials on: an environment, a process, shell code, JSON.
package deliver
