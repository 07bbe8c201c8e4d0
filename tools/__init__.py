"""Tools around the product: sandbox, drill, bench and launch. Nothing in `reviewapp` imports them."""
