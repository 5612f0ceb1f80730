#define GREETING "hello from a program that slipway built"
