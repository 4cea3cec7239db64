"""Matching: what residents ask for, and which organization serves it.

It owns requests, their classification and candidates, and referrals. A resident's words stand in its tables alone.
It hears communities, taxonomies, organizations, agreements, offers, the satisfaction with organizations, and its own
`request.submitted`, in the transaction that tells it. It tells `request.submitted`, `.classified`,
`.matched`, `.unmatched`, `.served`, `.disputed`, `.reopened`, `.closed`, `.withdrawn`, and `referral.made`,
`.accepted`, `.declined`, `.withdrawn`.
"""
