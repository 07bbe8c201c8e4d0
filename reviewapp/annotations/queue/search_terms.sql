-- What each term of a search asks of the index of words, "" for signs alone.
SELECT public.search_term(typed.term)::text
FROM unnest(%(terms)s::text[]) WITH ORDINALITY AS typed (term, place)
ORDER BY typed.place
