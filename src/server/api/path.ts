/** Where the case-management API is. */
export const API_PATH = '/api/v1';
