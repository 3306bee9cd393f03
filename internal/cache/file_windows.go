package cache

const openFlags = 0
